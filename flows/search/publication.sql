-- The index as it is published: sorted so that a question reads little of it, with the rarity of
-- each term. Run by index.py with the publication attached as `published`.

create schema published.search;

create table published.search.papers as
select
    indexed.paper_number,
    papers.paper_id,
    papers.rowid as paper_row,
    papers.first_listed_on,
    papers.last_listed_on,
    papers.organization_name,
    papers.github_url is not null as has_code,
    papers.upvotes_count
from search.indexed_papers as indexed
inner join published.marts.papers as papers on indexed.paper_id = papers.paper_id
order by indexed.paper_number;
comment on table published.search.papers is
'The papers that search knows, with what they are filtered by. One row per paper_number.';
comment on column published.search.papers.paper_number is 'The number of the paper in the index.';
comment on column published.search.papers.paper_id is 'The paper; see marts.papers.';
comment on column published.search.papers.paper_row is
'The rowid of the paper in marts.papers of this file: a paper is read there in no time.';
comment on column published.search.papers.first_listed_on is 'See marts.papers.';
comment on column published.search.papers.last_listed_on is 'See marts.papers.';
comment on column published.search.papers.organization_name is 'See marts.papers.';
comment on column published.search.papers.has_code is 'Whether a code repository is known.';
comment on column published.search.papers.upvotes_count is 'See marts.papers.';

-- Filled by index.py, term by term.
create table published.search.postings (
    term_number integer, paper_number integer, weight utinyint
);
comment on table published.search.postings is
'Which paper has which term. One row per term_number and paper_number, in that order.';
comment on column published.search.postings.term_number is 'The term; see search.terms.';
comment on column published.search.postings.paper_number is 'The paper; see search.papers.';
comment on column published.search.postings.weight is
'How much the paper is about the term, of 255: BM25F over its fields, without the rarity.';

create table published.search.terms as
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

create table published.search.words as
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

create table published.search.stop_words as
from search.stop_words
order by word;
comment on table published.search.stop_words is
'Words that are neither indexed nor looked for. One row per word.';
comment on column published.search.stop_words.word is 'The word.';

create table published.search.synonyms as
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

create table published.search.paper_names as
with

names as (
    select
        'author' as kind,
        paper_id,
        unnest(author_names) as name
    from published.marts.papers
    union all
    select
        'keyword' as kind,
        paper_id,
        unnest(ai_keywords) as name
    from published.marts.papers
    union all
    select
        'organization' as kind,
        paper_id,
        organization_name as name
    from published.marts.papers
)

select
    kind,
    lower(name) as lower_name,
    name,
    paper_id
from names
where name is not null
group by all
order by all;
comment on table published.search.paper_names is
'Who wrote a paper, for whom, and about what. One row per kind, name and paper_id, in that order.';
comment on column published.search.paper_names.kind is 'author, keyword or organization.';
comment on column published.search.paper_names.lower_name is 'The name in lower case.';
comment on column published.search.paper_names.name is 'The name as the paper has it.';
comment on column published.search.paper_names.paper_id is 'The paper; see marts.papers.';

create table published.search.keywords as
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

create table published.search.vectors as
select
    paper_id,
    vector
from search.indexed_vectors
order by paper_id;
comment on table published.search.vectors is
'What title and abstract of each paper mean; see similar_papers. One row per paper_id.';
comment on column published.search.vectors.paper_id is 'The paper; see marts.papers.';
comment on column published.search.vectors.vector is
'Of length 1, so array_inner_product of two is their cosine: 1 is the same, 0 unrelated.';

create table published.search.vectors_made_with as
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
