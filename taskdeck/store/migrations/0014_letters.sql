-- By which interface a webhook was made, in whose words it is told.

ALTER TABLE webhooks ADD COLUMN via TEXT NOT NULL DEFAULT 'native';
