-- How a question is read, and the papers that it finds. In the published file: plain SQL, so that
-- any DuckDB from 1.0 on can ask. Planning takes longer than searching: mind the number of joins.

-- A word that ends in * keeps it. At most 64 words are looked at.
create or replace macro search.asked_words(query) as
    regexp_extract_all(search.plain(left(query, 10000)), search.word_pattern() || '\*?')[1:64];

-- What stands between double quotes and has a letter or a digit in it.
create or replace macro search.phrases_of(query) as
    regexp_extract_all(left(query, 10000), '"([^"]*[' || search.letters() || '][^"]*)"', 1);

-- The words of a phrase in their order, whatever stands around them. It begins with a letter: texts
-- are looked through for that in a fifth of the time that all takes which may stand before one.
create or replace macro search.beginning_of(phrase) as
    array_to_string(search.words_of(phrase), '[^' || search.letters() || ']+');

-- Whether a phrase stands in a text that is in lower case and without accents.
create or replace macro search.has_phrase(written, phrase) as
    regexp_matches(written, search.beginning_of(phrase))
    and regexp_matches(written, search.pattern_of(phrase));

-- The terms that a question asks for, and why. Grain: one row per term_number.
create or replace macro search.asked_terms(query) as table
with

written as materialized (
    select
        asked.position,
        asked.word,
        asked.is_prefix,
        contains(asked.word, '.') as is_id,
        search.stem(asked.word) as term
    from (
        select
            rtrim(said.word, '*') as word,
            said.word like '%*' as is_prefix,
            row_number() over () as position
        from (select unnest(search.asked_words(query)) as word) as said
    ) as asked
),

-- Beside an id the other words (https, arxiv, org, abs) are only its address.
words as materialized (
    select distinct
        written.word,
        written.is_prefix,
        written.term
    from written
    where
        written.word not in (select stop_words.word from search.stop_words)
        and written.is_id = (select bool_or(written.is_id) from written)
),

exact as materialized (
    select
        words.word,
        terms.term_number,
        words.term,
        terms.rarity
    from search.terms as terms
    inner join words on terms.term = words.term and not words.is_prefix
),

-- The most frequent of what a prefix begins: a* would be a tenth of the language. All that one
-- prefix begins is one part of the question: it counts once a paper.
prefixed as (
    select
        words.word,
        known.term_number,
        min(known.term_number) over (partition by words.word) as part_number
    from search.words as known
    inner join words on words.is_prefix and starts_with(known.word, words.word)
    group by words.word, known.term_number
    qualify row_number() over (
        partition by words.word order by max(known.paper_count) desc, known.term_number
    ) <= 64
),

-- A word that no paper has. One typed wrong is within two letters of what was meant, and rarely
-- wrong both in its first letter and in its last three.
unknown as (
    select words.word
    from words
    where
        not words.is_prefix
        and length(words.word) >= 4
        and words.term not in (select exact.term from exact)
),

-- What papers write as one word: “sam 2” is “sam2” too.
joined as (
    select terms.term_number
    from written as before
    inner join written as after on before.position + 1 = after.position
    inner join search.terms as terms on search.stem(before.word || after.word) = terms.term
    where not (before.is_prefix or after.is_prefix or before.is_id or after.is_id)
),

-- What papers write as two: “longcontext” is “long context”, “sam2” is “sam 2”.
halves as (
    select
        words.word,
        words.word in (select unknown.word from unknown) as is_unknown,
        unnest(range(1, length(words.word))) as place
    from words
    where not (words.is_prefix or contains(words.word, '.'))
),

split as (
    select
        halves.word,
        first_half.term_number as first_number,
        second_half.term_number as second_number
    from halves
    inner join search.words as first_half on left(halves.word, halves.place) = first_half.word
    inner join search.words as second_half on substr(halves.word, halves.place + 1) = second_half.word
    where
        (halves.is_unknown and halves.place >= 4 and length(halves.word) - halves.place >= 4)
        or regexp_matches(substr(halves.word, halves.place, 2), '^(\D\d|\d\D)$')
    qualify row_number() over (
        partition by halves.word
        order by least(first_half.paper_count, second_half.paper_count) desc, halves.place
    ) = 1
),

corrected as (
    select
        unknown.word,
        known.word as meant,
        known.term_number
    from search.words as known
    inner join unknown
        on
            length(known.word) between length(unknown.word) - 2 and length(unknown.word) + 2
            and (known.word[1] = unknown.word[1] or known.word[-3:] = unknown.word[-3:])
            and damerau_levenshtein(known.word, unknown.word)
            <= case when length(unknown.word) < 6 then 1 else 2 end
    where unknown.word not in (select split.word from split)
    qualify row_number() over (
        partition by unknown.word
        order by
            damerau_levenshtein(known.word, unknown.word), known.paper_count desc, known.word
    ) = 1
),

-- What else says the same: where the stems of the question, in their order, hold a synonym's.
synonymous as (
    select
        synonyms.term_number,
        max(synonyms.share) as share
    from search.synonyms as synonyms
    inner join (
        select
            ' ' || string_agg(
                coalesce(search.stem(corrected.meant), written.term), ' ' order by written.position
            ) || ' ' as stems
        from written
        left join corrected on written.word = corrected.word
    ) as said on contains(said.stems, synonyms.said)
    group by synonyms.term_number
),

found as (
    select
        word, word as meant, term_number, term_number as part_number, 1.0::double as share,
        'exact' as how
    from exact
    union all
    select word, word as meant, term_number, part_number, 1.0::double as share, 'prefix' as how
    from prefixed
    union all
    select word, meant, term_number, term_number, 1.0::double as share, 'corrected' as how
    from corrected
    union all
    select null, null, term_number, term_number, 1.0::double as share, 'joined' as how from joined
    union all
    select word, null, first_number, first_number, 1.0::double as share, 'split' as how from split
    union all
    select word, null, second_number, second_number, 1.0::double as share, 'split' as how
    from split
    union all
    select null, null, term_number, term_number, share, 'synonym' as how from synonymous
),

known as (
    select
        found.term_number,
        min(found.part_number) as part_number,
        any_value(terms.term) as term,
        arg_max(found.word, found.share) as word,
        arg_max(found.meant, found.share) as meant,
        arg_max(found.how, found.share) as how,
        max(found.share) as share,
        any_value(terms.rarity) as rarity
    from found
    inner join search.terms as terms on found.term_number = terms.term_number
    group by found.term_number
)

-- A prefix is worth what the most frequent of its words is, and a synonym never more than the
-- rarest word that was asked for.
select
    term_number,
    part_number,
    term,
    word,
    meant,
    how,
    share,
    min(
        case
            when how = 'synonym' then least(share * rarity, (select max(exact.rarity) from exact))
            else share * rarity
        end
    ) over (partition by part_number) as worth
from known;

-- Whether a paper is one of those that are asked for. The filters that are null let all through.
create or replace macro search.is_chosen(
    first_listed_on, last_listed_on, organization_name, keywords, paper_has_code, upvotes_count,
    since, until, organization, keyword, has_code, upvotes_min
) as (
    (since is null or last_listed_on >= since::date)
    and (until is null or first_listed_on <= until::date)
    and (organization is null or contains(lower(organization_name), lower(organization)))
    and (keyword is null or list_contains(keywords, lower(keyword)))
    and (has_code is null or paper_has_code = has_code)
    and (upvotes_min is null or upvotes_count >= upvotes_min)
);

-- The papers that mean most the same as one, the nearest first. Grain: one row per paper_id.
create or replace macro main.similar_papers(paper, most := 20) as table
select
    row_number() over (order by near.cosine desc, near.paper_id) as similar_rank,
    near.paper_id,
    near.cosine,
    papers.title,
    papers.last_listed_on,
    papers.upvotes_count
from (
    select
        vectors.paper_id,
        array_inner_product(vectors.vector, own.vector)::double as cosine
    from search.vectors as vectors
    inner join search.vectors as own on own.paper_id = paper and vectors.paper_id != paper
    order by cosine desc, vectors.paper_id
    limit most
) as near
inner join marts.papers as papers on near.paper_id = papers.paper_id
order by similar_rank;

-- The papers of the authors and organizations whose name is the whole text, also with the family name
-- first: Muller Zoe, and Muller, Zoe as a list of references has it. Grain: one row per paper_id.
create or replace macro search.papers_of_name(query) as table
select distinct names.paper_id
from search.paper_names as names
where
    names.kind in ('author', 'organization')
    and names.lower_name in (
        lower(trim(query)),
        regexp_replace(lower(trim(query)), '^(.+?)\s*,\s*(.+)$', '\2 \1'),
        regexp_replace(lower(trim(query)), '^(\S+)\s+(.+)$', '\2 \1'),
        regexp_replace(lower(trim(query)), '^(.+)\s+(\S+)$', '\2 \1')
    );

-- The papers that a text asks for, the best first, without what is shown of them: reading the texts
-- of many is most of the work. The papers of an author or organization whose name is the whole text
-- come first: its words, apart, are those of many others. hit_words are the words that were found,
-- in each row the same.
-- Grain: one row per paper_id.
create or replace macro search.ranked_papers(
    query, since, until, organization, keyword, has_code, upvotes_min, most
) as table
with

asked as materialized (
    select
        *,
        coalesce(list_contains(
            search.words_of(array_to_string(search.phrases_of(query), ' ')), word
        ), false) as is_in_phrase
    from search.asked_terms(query)
),

scored as (
    select
        parts.paper_number,
        -- Parts are added up in any order: where papers tie, the last digits must not tell.
        round(sum(parts.score) / 255, 12) as score,
        count(*) filter (where parts.is_in_phrase) as phrase_part_count
    from (
        select
            postings.paper_number,
            max(postings.weight * asked.worth) as score,
            bool_or(asked.is_in_phrase) as is_in_phrase
        from search.postings as postings
        inner join asked on postings.term_number = asked.term_number
        group by postings.paper_number, asked.part_number
    ) as parts
    group by parts.paper_number
),

named as (
    from search.papers_of_name(query)
),

-- The best that the filters let through. Of those in which a phrase is looked for, 20,000.
candidates as (
    select
        scored.score,
        named.paper_id is not null as is_named,
        papers.paper_id,
        papers.paper_row,
        papers.last_listed_on,
        papers.upvotes_count
    from scored
    inner join search.papers as papers on scored.paper_number = papers.paper_number
    left join named on papers.paper_id = named.paper_id
    where
        (
            len(search.phrases_of(query)) = 0
            or scored.phrase_part_count
            = (select count(distinct part_number) from asked where is_in_phrase)
        )
        and search.is_chosen(
            papers.first_listed_on,
            papers.last_listed_on,
            papers.organization_name,
            papers.keywords,
            papers.has_code,
            papers.upvotes_count,
            since,
            until,
            organization,
            keyword,
            has_code,
            upvotes_min
        )
    order by is_named desc, scored.score desc, papers.upvotes_count desc, papers.paper_id
    limit (case when len(search.phrases_of(query)) = 0 then most else 20000 end)
),

-- Its fields, with a word between them that nobody asks for: a phrase is in one field. Where there
-- is no phrase nothing is joined, and no text is looked at. A pattern that depends on the row is
-- read for each row, so the first phrase, which leaves few papers, stands alone.
phrased as (
    select texts.paper_id
    from (
        select
            papers.paper_id,
            search.folded(concat_ws(
                ' 00000000 ',
                papers.title,
                papers.abstract,
                papers.ai_summary,
                array_to_string(papers.ai_keywords, ' 00000000 '),
                array_to_string(papers.author_names, ' 00000000 '),
                papers.organization_name
            )) as written
        from marts.papers as papers
        inner join candidates
            on papers.rowid = candidates.paper_row and papers.paper_id = candidates.paper_id
        where len(search.phrases_of(query)) > 0
        -- It cuts nothing off, but else the patterns would be looked for before the join, in all.
        limit 20000
    ) as texts
    where
        search.has_phrase(texts.written, search.phrases_of(query)[1])
        and len([
            1 for phrase in search.phrases_of(query)[2:]
            if not regexp_matches(texts.written, search.pattern_of(phrase))
        ]) = 0
),

hits as (
    select list(known.word order by known.word) as hit_words
    from search.words as known
    inner join asked on known.term_number = asked.term_number
)

select
    row_number() over (
        order by
            candidates.is_named desc,
            candidates.score desc,
            candidates.upvotes_count desc,
            candidates.paper_id
    ) as search_rank,
    candidates.paper_id,
    candidates.score,
    candidates.last_listed_on,
    candidates.upvotes_count,
    candidates.paper_row,
    hits.hit_words
from candidates
inner join hits on true
where
    len(search.phrases_of(query)) = 0
    or candidates.paper_id in (select phrased.paper_id from phrased)
order by search_rank
limit most;

-- Of a paper's AI summary and abstract the sentence with most of these words for its length, the
-- words marked.
create or replace macro search.snippet_of(
    ai_summary, abstract, hit_words, mark_start, mark_end
) as (
    select arg_max(
        sentences.sentence,
        (length(sentence) - length(replace(sentence, mark_start, ''))) / (60 + length(sentence))
    )
    from (
        select unnest(string_split(
            array_to_string(
                [
                    case
                        when list_contains(hit_words, search.folded(part))
                            then mark_start || part || mark_end
                        else part
                    end
                    for part in search.parts_of(
                        regexp_replace(
                            concat_ws(chr(31), ai_summary, abstract),
                            '([.!?])\s+', '\1' || chr(31), 'g'
                        )
                    )
                ],
                ''
            ),
            chr(31)
        )) as sentence
    ) as sentences
);

-- The papers that a text asks for, the best first. Grain: one row per paper_id.
-- It knows words, "phrases", atten* and ids. AND and -word it takes for words like others: they look
-- in the text for a word in each form of its singular and plural, which flows/topics.py makes and no
-- SQL of a bearable length. The way out is `papers search`, or a condition on the text:
--     from search_papers('agents', most := 500) join marts.papers using (paper_id)
--     where not contains(lower(abstract), 'robot')
create or replace macro main.search_papers(
    query,
    since := null,
    until := null,
    organization := null,
    keyword := null,
    has_code := null,
    upvotes_min := null,
    most := 20,
    mark_start := '**',
    mark_end := '**'
) as table
select
    ranked.search_rank,
    ranked.paper_id,
    ranked.score,
    papers.title,
    search.snippet_of(
        papers.ai_summary, papers.abstract, ranked.hit_words, mark_start, mark_end
    ) as snippet,
    papers.organization_name,
    papers.author_names,
    papers.last_listed_on,
    papers.upvotes_count,
    papers.github_url,
    papers.project_url
from search.ranked_papers(
    query, since, until, organization, keyword, has_code, upvotes_min, most
) as ranked
inner join marts.papers as papers
    on ranked.paper_row = papers.rowid and ranked.paper_id = papers.paper_id
order by ranked.search_rank;
