-- What a rule is for, and by which interface what it does was last said, in whose words its texts are.

ALTER TABLE rules ADD COLUMN description TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 500);
ALTER TABLE rules ADD COLUMN via TEXT NOT NULL DEFAULT 'native';
