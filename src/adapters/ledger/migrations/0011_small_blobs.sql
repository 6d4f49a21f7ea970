-- Bytes of small files. They travel in the commit that takes the file: one sync of the disk in place of several. Ids are
-- those of blobs; of an upload in progress, the one it becomes.
CREATE TABLE small_blobs (
    id    BLOB NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
