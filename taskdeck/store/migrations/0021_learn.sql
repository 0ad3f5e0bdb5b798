-- The words of new tasks are learnt by the writer, those of a batch together.

DROP TRIGGER IF EXISTS task_words_learn;
