-- The index as it is published: the tables that are brought up to date paper by paper. Run by
-- publish_index.py with the publication attached as `published`.

create schema if not exists published.search;

create table if not exists published.search.papers (
    paper_number integer,
    paper_id text,
    paper_row bigint,
    first_listed_on date,
    last_listed_on date,
    organization_name text,
    keywords text[],
    has_code boolean,
    upvotes_count bigint,
    text_hash ubigint
);
comment on table published.search.papers is
'The papers that search knows, with what they are filtered by. One row per paper_number.';
comment on column published.search.papers.paper_number is 'The number of the paper in the index.';
comment on column published.search.papers.paper_id is 'The paper; see marts.papers.';
comment on column published.search.papers.paper_row is
'The rowid of the paper in marts.papers of this file: a paper is read there in no time.';
comment on column published.search.papers.first_listed_on is 'See marts.papers.';
comment on column published.search.papers.last_listed_on is 'See marts.papers.';
comment on column published.search.papers.organization_name is 'See marts.papers.';
comment on column published.search.papers.keywords is 'Its AI keywords in lower case.';
comment on column published.search.papers.has_code is 'Whether a code repository is known.';
comment on column published.search.papers.upvotes_count is 'See marts.papers.';
comment on column published.search.papers.text_hash is
'What its words were when it was indexed, to know when they change.';

create table if not exists published.search.postings (
    term_number integer, paper_number integer, weight utinyint
);
comment on table published.search.postings is
'Which paper has which term. One row per term_number and paper_number, mostly in that order.';
comment on column published.search.postings.term_number is 'The term; see search.terms.';
comment on column published.search.postings.paper_number is 'The paper; see search.papers.';
comment on column published.search.postings.weight is
'How much the paper is about the term, of 255: BM25F over its fields, without the rarity.';

create table if not exists published.search.paper_names (
    kind text, lower_name text, name text, paper_id text
);
comment on table published.search.paper_names is
'Who wrote a paper, for whom, and about what. One row per kind, name and paper_id, mostly in that order.';
comment on column published.search.paper_names.kind is 'author, keyword or organization.';
comment on column published.search.paper_names.lower_name is 'The name in lower case.';
comment on column published.search.paper_names.name is 'The name as the paper has it.';
comment on column published.search.paper_names.paper_id is 'The paper; see marts.papers.';

create table if not exists published.search.vectors (paper_id text, vector float[384]);
comment on table published.search.vectors is
'What title and abstract of each paper mean; see similar_papers. One row per paper_id.';
comment on column published.search.vectors.paper_id is 'The paper; see marts.papers.';
comment on column published.search.vectors.vector is
'Of length 1, so array_inner_product of two is their cosine: 1 is the same, 0 unrelated.';
