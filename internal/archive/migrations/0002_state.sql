-- One row: what tells this archive from another one, and from an older copy of itself.
CREATE TABLE state (
    row  {bigint} NOT NULL PRIMARY KEY CHECK (row = 1),
    id   {text} NOT NULL,  -- random, made with the archive
    puts {bigint} NOT NULL -- how many batches it has confirmed
);
