-- Beside Prefect's own: the mailing list and its ledger.
create database mailing;
