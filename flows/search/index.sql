-- The index in the warehouse, made as far as papers are new or changed. Run by index.py.

create schema if not exists search;

-- Grain: one row per paper_number.
create table if not exists search.indexed_papers (
    paper_number integer, paper_id text, reading_id text, text_hash ubigint
);

-- Grain: one row per word. A word keeps the number of its stem for ever, so that postings stay.
create table if not exists search.indexed_words (word text, term text, term_number integer);

-- Grain: one row per term_number and paper_number.
create table if not exists search.indexed_postings (
    term_number integer, paper_number integer, weight utinyint
);

-- What words were read by, and what papers were made by. One row.
create table if not exists search.indexed_with (rules_sha256 text);

-- Grain: one row per paper_id. What the text was when the vector was made, to know when it changes.
create table if not exists search.indexed_vectors (
    paper_id text, text_hash ubigint, vector float[]
);

-- The model that made the vectors, empty for none. One row.
create table if not exists search.vectors_made_with (model text);
