-- What a partner holds is counted where nodes change, whoever changes them.
CREATE TRIGGER nodes_added AFTER INSERT ON nodes BEGIN
    INSERT INTO usages (partner, bytes, files) VALUES (NEW.partner, NEW.size_bytes + NEW.scratch_bytes, 1)
    ON CONFLICT (partner) DO UPDATE SET bytes = usages.bytes + excluded.bytes, files = usages.files + 1;
END;

CREATE TRIGGER nodes_resized AFTER UPDATE OF size_bytes, scratch_bytes ON nodes
WHEN NEW.size_bytes + NEW.scratch_bytes <> OLD.size_bytes + OLD.scratch_bytes BEGIN
    UPDATE usages SET bytes = bytes + NEW.size_bytes + NEW.scratch_bytes - OLD.size_bytes - OLD.scratch_bytes
    WHERE partner = NEW.partner;
END;

CREATE TRIGGER nodes_removed AFTER DELETE ON nodes BEGIN
    UPDATE usages SET bytes = bytes - OLD.size_bytes - OLD.scratch_bytes, files = files - 1 WHERE partner = OLD.partner;
END;
