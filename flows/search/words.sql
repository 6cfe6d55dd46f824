-- How search reads words, in the index and in a question alike.

-- As it is typed on any keyboard: lower case, without accents, and Łukasz Søren Weiß as lukasz soren
-- weiss. flows/topics.py folds the same letters.
create or replace macro search.folded(written) as
    replace(replace(replace(
        translate(strip_accents(lower(written)), 'łøđðħŧı', 'loddhti'), 'ß', 'ss'
    ), 'æ', 'ae'), 'œ', 'oe');

-- Folded. An arXiv id stands without its version: 2503.02130v2 is 2503.02130.
create or replace macro search.plain(written) as
    regexp_replace(search.folded(written), '(\d{4}\.\d{4,5})v\d+', '\1', 'g');

-- What words are made of, for the brackets of a regular expression: the letters and digits of all
-- scripts, as ranges. \p{L} and \p{N} say the same more exactly, but take 3 ms to read whenever a
-- question is planned, these half a millisecond.
create or replace macro search.letters() as
    '0-9A-Za-zª²³µ¹º¼-¾À-ÖØ-öø-\x{1fff}\x{2070}-\x{209c}\x{2c00}-\x{2dff}\x{3041}-\x{d7ff}'
    || '\x{f900}-\x{fdff}\x{fe70}-\x{fefc}\x{ff10}-\x{ff19}\x{ff21}-\x{ff3a}'
    || '\x{ff41}-\x{ff5a}\x{ff66}-\x{ffdc}\x{10000}-\x{1efff}\x{20000}-\x{3ffff}';

-- A word as a regular expression; an arXiv id is one word.
create or replace macro search.word_pattern() as '\d{4}\.\d{4,5}|[' || search.letters() || ']+';

-- The words of a text in their order.
create or replace macro search.words_of(written) as
    regexp_extract_all(search.plain(written), search.word_pattern());

-- The same words as they are written, and what stands between them: all of the text, in parts.
create or replace macro search.parts_of(written) as
    regexp_extract_all(written, search.word_pattern() || '|[^' || search.letters() || ']+');

-- A phrase as a regular expression: its words, with no letter or digit between or around them.
create or replace macro search.pattern_of(phrase) as
    '(?:^|[^' || search.letters() || '])'
    || array_to_string(search.words_of(phrase), '[^' || search.letters() || ']+')
    || '(?:$|[^' || search.letters() || '])';

-- A plural as its singular: policies, boxes, models.
create or replace macro search.singular(word) as
    case
        when length(word) < 4 then word
        when word like '%ies' then left(word, length(word) - 3) || 'y'
        when regexp_matches(word, '(ss|x|z|ch|sh)es$') then left(word, length(word) - 2)
        when regexp_matches(word, '[^siu]s$') then left(word, length(word) - 1)
        else word
    end;

-- A word without its ending, so that `quantized` finds `quantization`. It is light and wrong at
-- times, but wrong in the same way on both sides. What is left keeps three letters or more; short
-- words and words with digits (gpt4, 3d) keep all.
create or replace macro search.stem(word) as
    case
        when length(word) < 4 or regexp_matches(word, '\d') then search.singular(word)
        else regexp_replace(
            regexp_replace(
                search.singular(word),
                '^(.{3,}?)(?:izations?|izing|ized|izers?|izes?|ize|isations?|ising|ised|ise'
                '|ations?|ating|ated|ates?|ate|ative|atively|ators?|ions?|ings?|ingly|edly|ed'
                '|ers?|ors?|ments?|mental|ally|al|ly|ness|ity|ively|ive|ically|ical|ic|able'
                '|ful|y|e)$',
                '\1'
            ),
            '(?:(b)b|(d)d|(g)g|(l)l|(m)m|(n)n|(p)p|(r)r|(t)t)$',
            '\1\2\3\4\5\6\7\8\9'
        )
    end;
