-- What most small files take, as one statement: a row put into this view is a step of an upload, the first one (is_new) or
-- the end of one whose bytes are kept already. What does not fit is refused and changes nothing: something is at the name
-- of a new one, the quota is reached, another upload is in progress, or a file is replaced.
CREATE VIEW small_uploads AS
SELECT partner, dir, name, state, size_bytes, modified, blob, scratch, shipment, owner, 0 AS is_new, scratch AS former, blob AS id,
    x'' AS bytes, 0 AS quota_bytes, 0 AS quota_files, 0 AS preflight, 0 AS stage, '' AS detail
FROM nodes WHERE FALSE;

CREATE TRIGGER small_uploads_step INSTEAD OF INSERT ON small_uploads BEGIN
    SELECT RAISE(ABORT, 'does not fit') WHERE CASE NEW.is_new WHEN 1 THEN
        NEW.quota_bytes <= 0 OR NEW.quota_files <= 0
        OR EXISTS (SELECT 1 FROM nodes WHERE partner = NEW.partner AND dir = NEW.dir AND name = NEW.name)
        OR EXISTS (
            SELECT 1 FROM usages WHERE partner = NEW.partner AND (bytes >= NEW.quota_bytes OR files >= NEW.quota_files)
        )
    ELSE
        NOT EXISTS (
            SELECT 1 FROM nodes WHERE partner = NEW.partner AND dir = NEW.dir AND name = NEW.name
            AND scratch = NEW.former AND blob IS NULL
        )
    END;
    INSERT INTO small_blobs (id, bytes) SELECT NEW.id, NEW.bytes WHERE NEW.is_new;
    INSERT INTO nodes (partner, dir, name, state, size_bytes, scratch_bytes, modified, blob, scratch, shipment, owner)
    VALUES (
        NEW.partner, NEW.dir, NEW.name, NEW.state, NEW.size_bytes, 0, NEW.modified, NEW.blob, NEW.scratch, NEW.shipment,
        NEW.owner
    )
    ON CONFLICT (partner, dir, name) DO UPDATE SET state = excluded.state, size_bytes = excluded.size_bytes,
        scratch_bytes = 0, modified = excluded.modified, blob = excluded.blob, scratch = NULL, shipment = excluded.shipment;
    INSERT INTO shipments (id, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage)
    SELECT NEW.shipment, NEW.partner, NEW.dir, NEW.name, NEW.blob, NEW.size_bytes, NEW.preflight, NEW.modified, NEW.stage
    WHERE NEW.shipment IS NOT NULL;
    INSERT INTO events (shipment, number, at, what, detail)
    SELECT seq, 1, NEW.modified, 'claimed', NEW.detail FROM shipments WHERE id = NEW.shipment;
END;
