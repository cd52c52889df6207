-- Rows of the table `population` by sequence: parameter sequences.
SELECT * FROM population WHERE seq IN (SELECT unnest($sequences::UBIGINT[])) ORDER BY seq
