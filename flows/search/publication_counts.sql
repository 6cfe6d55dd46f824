-- What depends on all papers, as the rarity of a term: made anew for each publication. Run by
-- publish_index.py with the publication attached as `published`.

create or replace table published.search.terms as
with

counts as (
    select
        term_number,
        count(*) as paper_count
    from search.indexed_postings
    group by term_number
),

numbered as (
    select distinct
        term,
        term_number
    from search.indexed_words
)

select
    numbered.term,
    numbered.term_number,
    counts.paper_count,
    ln(
        1 + ((select count(*) from search.indexed_papers) - counts.paper_count + 0.5)
        / (counts.paper_count + 0.5)
    ) as rarity
from numbered
inner join counts on numbered.term_number = counts.term_number
order by numbered.term;
comment on table published.search.terms is
'Stems of words, and the arXiv ids. One row per term.';
comment on column published.search.terms.term is 'The stem, as search.stem(word) gives it.';
comment on column published.search.terms.term_number is 'The number of the term in the index.';
comment on column published.search.terms.paper_count is 'How many papers have it.';
comment on column published.search.terms.rarity is
'What a hit is worth: ln(1 + (papers - paper_count + 0.5) / (paper_count + 0.5)).';

create or replace table published.search.words as
select
    words.word,
    words.term_number,
    terms.paper_count
from search.indexed_words as words
inner join published.search.terms as terms on words.term_number = terms.term_number
order by words.word;
comment on table published.search.words is
'Words as they are written, to complete prefixes and mend misspelt ones. One row per word.';
comment on column published.search.words.word is 'The word, in lower case and without accents.';
comment on column published.search.words.term_number is 'Its stem; see search.terms.';
comment on column published.search.words.paper_count is 'How many papers have a word of that stem.';

create or replace table published.search.stop_words as
from search.stop_words
order by word;
comment on table published.search.stop_words is
'Words that are neither indexed nor looked for. One row per word.';
comment on column published.search.stop_words.word is 'The word.';

create or replace table published.search.synonyms as
select
    synonyms.said,
    terms.term_number,
    synonyms.share
from search.synonyms as synonyms
inner join published.search.terms as terms on synonyms.term = terms.term
order by all;
comment on table published.search.synonyms is
'What else is looked for when something is said. One row per said and term_number.';
comment on column published.search.synonyms.said is 'Stems that stand in the question in this order.';
comment on column published.search.synonyms.term_number is 'The term that is looked for as well.';
comment on column published.search.synonyms.share is 'What a hit is worth beside one of a word asked for.';

create or replace table published.search.keywords as
select
    name as keyword,
    count(*) as paper_count
from published.search.paper_names
where kind = 'keyword'
group by name
order by name;
comment on table published.search.keywords is
'How many papers have a keyword, to tell the rare ones. One row per keyword.';
comment on column published.search.keywords.keyword is 'The keyword as papers have it.';
comment on column published.search.keywords.paper_count is 'How many papers have it.';

create or replace table published.search.vectors_made_with as
select
    model,
    uuid()::text as publication_id
from search.vectors_made_with;
comment on table published.search.vectors_made_with is
'The model that made the vectors. One row.';
comment on column published.search.vectors_made_with.model is
'What tells it from other models; empty where there is none, and words alone are searched.';
comment on column published.search.vectors_made_with.publication_id is
'Another one in each publication, for whoever keeps its vectors in memory.';
