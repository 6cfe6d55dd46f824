// Search without a server: what `search_papers` finds by words, over the index beside this file.
//
// words.json: the words and their terms; postings/N.json: the papers of every 256th term;
// papers.json: what is shown of a paper. Each step has the name that it has in search_papers.sql.
"use strict";

const SHARDS = 256;
const SHOWN = 50;
const PREFIX_TERMS = 64;

async function load(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.json();
}

function once(name) {
  once.kept ??= new Map();
  if (!once.kept.has(name)) once.kept.set(name, load(name));
  return once.kept.get(name);
}

async function index() {
  const given = await once("words.json");
  if (given.terms_by_name) return given;
  given.words = given.words.split(" ");
  given.terms = given.terms.split(" ");
  given.terms_by_name = new Map(given.terms.map((term, number) => [term, number]));
  given.terms_by_word = new Map(given.words.map((word, at) => [word, given.term_of_word[at]]));
  given.stop_words = new Set(given.stop_words);
  given.pattern = given.word_pattern.replace(/\\x\{([0-9a-f]+)\}/g, "\\u{$1}");
  return given;
}

const length = (word) => Array.from(word).length;

const TYPED = {
  ł: "l", ø: "o", đ: "d", ð: "d", ħ: "h", ŧ: "t", ı: "i", ß: "ss", æ: "ae", œ: "oe",
};

function plain(text) {
  return text
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .normalize("NFC")
    .replace(/[łøđðħŧıßæœ]/g, (letter) => TYPED[letter])
    .replace(/(\d{4}\.\d{4,5})v\d+/g, "$1");
}

function singular(word) {
  if (length(word) < 4) return word;
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (/(ss|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return /[^siu]s$/.test(word) ? word.slice(0, -1) : word;
}

const ENDING = new RegExp(
  "^(.{3,}?)(?:izations?|izing|ized|izers?|izes?|ize|isations?|ising|ised|ise" +
    "|ations?|ating|ated|ates?|ate|ative|atively|ators?|ions?|ings?|ingly|edly|ed" +
    "|ers?|ors?|ments?|mental|ally|al|ly|ness|ity|ively|ive|ically|ical|ic|able" +
    "|ful|y|e)$",
  "u",
);

function stem(word) {
  if (length(word) < 4 || /\d/.test(word)) return singular(word);
  return singular(word)
    .replace(ENDING, "$1")
    .replace(/([bdglmnprt])\1$/, "$1");
}

function asked_words(query, pattern) {
  const found = plain(query.slice(0, 10000)).match(new RegExp(`(?:${pattern})\\*?`, "gu")) ?? [];
  return found.slice(0, 64);
}

// How many letters were typed wrong, left out, added, or exchanged with their neighbour.
function damerau_levenshtein(one, other) {
  const [a, b] = [Array.from(one), Array.from(other)];
  const most = a.length + b.length;
  const rows = Array.from({ length: a.length + 2 }, () => new Array(b.length + 2).fill(0));
  rows[0][0] = most;
  for (let i = 0; i <= a.length; i++) [rows[i + 1][0], rows[i + 1][1]] = [most, i];
  for (let j = 0; j <= b.length; j++) [rows[0][j + 1], rows[1][j + 1]] = [most, j];
  const last = new Map();
  for (let i = 1; i <= a.length; i++) {
    let match = 0;
    for (let j = 1; j <= b.length; j++) {
      const [k, l] = [last.get(b[j - 1]) ?? 0, match];
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      if (!cost) match = j;
      rows[i + 1][j + 1] = Math.min(
        rows[i][j] + cost,
        rows[i + 1][j] + 1,
        rows[i][j + 1] + 1,
        rows[k][l] + (i - k - 1) + 1 + (j - l - 1),
      );
    }
    last.set(a[i - 1], i);
  }
  return rows[a.length + 1][b.length + 1];
}

// The words of a question that tell papers apart. Beside an arXiv id the others are its address.
function telling(written, known) {
  const has_id = written.some((each) => each.is_id);
  const seen = new Map();
  for (const each of written) {
    if (!known.stop_words.has(each.word) && each.is_id === has_id) {
      seen.set(`${each.word} ${each.is_prefix}`, each);
    }
  }
  return [...seen.values()];
}

// The terms of the words that begin so.
function beginning(start, known) {
  const terms = known.term_of_word.filter((_, at) => known.words[at].startsWith(start));
  return [...new Set(terms)];
}

function prefixed(word, known) {
  const terms = beginning(word, known)
    .sort((a, b) => known.paper_counts[b] - known.paper_counts[a] || a - b)
    .slice(0, PREFIX_TERMS);
  const part = Math.min(...terms);
  return terms.map((term) => ({ term, part, word, share: 1, how: "prefix" }));
}

// “longcontext” is “long context”, “sam2” is “sam 2”.
function split(word, is_unknown, known) {
  const letters = Array.from(word);
  let best = null;
  for (let place = 1; place < letters.length; place++) {
    const halves = [letters.slice(0, place).join(""), letters.slice(place).join("")];
    const terms = halves.map((half) => known.terms_by_word.get(half));
    if (terms.includes(undefined)) continue;
    const long = is_unknown && place >= 4 && letters.length - place >= 4;
    if (!long && !/^(\D\d|\d\D)$/u.test(letters.slice(place - 1, place + 1).join(""))) continue;
    const count = Math.min(...terms.map((term) => known.paper_counts[term]));
    if (!best || count > best.count) best = { count, terms };
  }
  return best?.terms;
}

function corrected(word, known) {
  const most = length(word) < 6 ? 1 : 2;
  let best = null;
  known.words.forEach((each, at) => {
    if (Math.abs(length(each) - length(word)) > 2) return;
    if (each[0] !== word[0] && each.slice(-3) !== word.slice(-3)) return;
    const distance = damerau_levenshtein(each, word);
    if (distance > most) return;
    const term = known.term_of_word[at];
    const found = { distance, count: known.paper_counts[term], meant: each, term };
    const is_better =
      !best ||
      found.distance < best.distance ||
      (found.distance === best.distance &&
        (found.count > best.count || (found.count === best.count && each < best.meant)));
    if (is_better) best = found;
  });
  return best;
}

// The terms that a question asks for, what each is worth, and which words were taken for others.
function asked_terms(query, known) {
  const rarity = (term) => {
    const count = known.paper_counts[term];
    return Math.log(1 + (known.paper_count - count + 0.5) / (count + 0.5));
  };
  const written = asked_words(query, known.pattern).map((said) => {
    const word = said.replace(/\*+$/, "");
    return { word, is_prefix: said.endsWith("*"), is_id: word.includes("."), term: stem(word) };
  });
  const words = telling(written, known);
  const found = [];
  const meant = new Map();
  const exact = new Set();
  for (const each of words.filter((one) => !one.is_prefix)) {
    const term = known.terms_by_name.get(each.term);
    if (term === undefined) continue;
    exact.add(each.term);
    found.push({ term, part: term, word: each.word, share: 1, how: "exact" });
  }
  const best_rarity = Math.max(...found.map((each) => rarity(each.term)));
  for (const each of words.filter((one) => one.is_prefix)) found.push(...prefixed(each.word, known));
  written.slice(1).forEach((after, at) => {
    const before = written[at];
    if (before.is_prefix || after.is_prefix || before.is_id || after.is_id) return;
    const term = known.terms_by_name.get(stem(before.word + after.word));
    if (term !== undefined) found.push({ term, part: term, word: null, share: 1, how: "joined" });
  });
  for (const each of words.filter((one) => !one.is_prefix && !one.is_id)) {
    const is_unknown = length(each.word) >= 4 && !exact.has(each.term);
    const halves = split(each.word, is_unknown, known);
    for (const term of halves ?? []) {
      found.push({ term, part: term, word: each.word, share: 1, how: "split" });
    }
    if (halves || !is_unknown) continue;
    const better = corrected(each.word, known);
    if (!better) continue;
    meant.set(each.word, better.meant);
    found.push({ term: better.term, part: better.term, word: each.word, share: 1, how: "corrected" });
  }
  const stems = written.map((each) => (meant.has(each.word) ? stem(meant.get(each.word)) : each.term));
  const said = ` ${stems.join(" ")} `;
  for (const [synonym, term, share] of known.synonyms) {
    if (said.includes(synonym)) found.push({ term, part: term, word: null, share, how: "synonym" });
  }
  return { terms: worth(found, rarity, best_rarity), meant, is_empty: words.length === 0 };
}

// A prefix is worth what the most frequent of its words is, and a synonym never more than the
// rarest word that was asked for.
function worth(found, rarity, best_rarity) {
  const known = new Map();
  for (const each of found) {
    const before = known.get(each.term);
    const best = !before || each.share > before.share ? each : before;
    known.set(each.term, { ...best, part: Math.min(each.part, before?.part ?? each.part) });
  }
  const parts = new Map();
  for (const each of known.values()) {
    let value = each.share * rarity(each.term);
    if (each.how === "synonym" && best_rarity > 0) value = Math.min(value, best_rarity);
    parts.set(each.part, Math.min(value, parts.get(each.part) ?? Infinity));
  }
  return [...known.values()].map((each) => ({ ...each, worth: parts.get(each.part) }));
}

function phrase_words(query, pattern) {
  const phrases = [...query.slice(0, 10000).matchAll(/"([^"]*)"/g)].map((each) => each[1]);
  return new Set(plain(phrases.join(" ")).match(new RegExp(pattern, "gu")) ?? []);
}

const LEFT_OUT = /(^|\s)-("[^"]*"|[\p{L}\p{N}]\S*)/gu;

// The papers that have a word: all of its forms, or all that begin so.
async function having(word, known) {
  const start = word.replace(/\*+$/, "");
  const found = start === word ? [known.terms_by_name.get(stem(word))] : beginning(start, known);
  const papers = new Set();
  for (const term of found.filter((each) => each !== undefined)) {
    const [steps] = (await once(`postings/${term % SHARDS}.json`))[term];
    let paper = 0;
    for (const step of steps) papers.add((paper += step));
  }
  return papers;
}

// The papers that have what stands after a minus; of several words, as in a phrase, all of them.
async function left_out(asked, known) {
  const papers = new Set();
  for (const each of asked.matchAll(LEFT_OUT)) {
    const words = asked_words(each[2], known.pattern).filter((word) => !known.stop_words.has(word));
    const [first, ...others] = await Promise.all(words.map((word) => having(word, known)));
    for (const paper of first ?? []) {
      if (others.every((other) => other.has(paper))) papers.add(paper);
    }
  }
  return papers;
}

// The papers that a text asks for, the best first.
async function search_papers(asked) {
  const known = await index();
  const unwanted = await left_out(asked, known);
  const query = asked.replace(LEFT_OUT, " ");
  const { terms, meant, is_empty } = asked_terms(query, known);
  const in_phrase = phrase_words(query, known.pattern);
  const scores = new Map();
  const postings = await Promise.all(terms.map((each) => once(`postings/${each.term % SHARDS}.json`)));
  terms.forEach((each, at) => {
    const [papers, weights] = postings[at][each.term];
    let paper = 0;
    papers.forEach((step, place) => {
      paper += step;
      const parts = scores.get(paper) ?? new Map();
      scores.set(paper, parts);
      const score = weights[place] * each.worth;
      const is_in_phrase = in_phrase.has(each.word) || parts.get(each.part)?.is_in_phrase;
      const best = Math.max(score, parts.get(each.part)?.score ?? 0);
      parts.set(each.part, { score: best, is_in_phrase });
    });
  });
  const needed = new Set(terms.filter((each) => in_phrase.has(each.word)).map((each) => each.part));
  const papers = await once("papers.json");
  const hits = [...scores]
    .filter(([number]) => !unwanted.has(number))
    .filter(([, parts]) => [...needed].every((part) => parts.get(part)?.is_in_phrase))
    .map(([number, parts]) => {
      const score = [...parts.values()].reduce((sum, part) => sum + part.score, 0) / 255;
      const [paper_id, title, organization, listed_on, votes] = papers[number];
      return { paper_id, title, organization, listed_on, votes, score };
    })
    .sort(
      (a, b) =>
        (Math.abs(a.score - b.score) > 1e-9 && b.score - a.score) ||
        b.votes - a.votes ||
        (a.paper_id < b.paper_id ? -1 : 1),
    );
  const has_and = /(^|\s)AND(?=\s|$)/.test(query);
  const has_phrase = in_phrase.size > 0 || /-"/.test(asked);
  return { hits, meant, is_empty, has_phrase, has_and };
}

// What cannot be meant as it is written, in the words of the server; undefined where all can.
function refusal(asked) {
  const outside = asked.replace(/"[^"]*"/g, " ");
  if (/(^|\s)OR(?=\s|$)/.test(outside)) return "Leave OR out: any of the words is enough.";
  if (/(^|\s)NOT(?=\s|$)/.test(outside)) return "Write -word in place of NOT word.";
  const is_broken = (piece) => {
    const [start, ...rest] = piece.replace(/[^\p{L}\p{N}*+#]+$/u, "").split("*");
    return rest.join("") || (start.match(/[\p{L}\p{N}]/gu) ?? []).length < 2;
  };
  const starred = asked.split(/[\s"-]+/).filter((piece) => piece.includes("*"));
  if (/[\p{L}\p{N}]/u.test(asked) && starred.some(is_broken)) {
    return "A star must end a word of two letters or more, as in agent*.";
  }
  return undefined;
}

function element(name, text, given = {}) {
  const made = document.createElement(name);
  made.textContent = text ?? "";
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  return made;
}

function card(hit, rank) {
  const item = element("li", "", { class: "card", value: rank });
  const body = element("div", "", { class: "body" });
  const title = element("h2");
  title.append(element("a", hit.title, { href: `../${hit.paper_id}/` }));
  const facts = element("p", "", { class: "facts" });
  const day = new Date(hit.listed_on).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  for (const fact of [hit.organization, `listed ${day}`]) {
    if (fact) facts.append(element("span", fact));
  }
  body.append(title, facts);
  const votes = element("p", `▲\u00a0${hit.votes.toLocaleString("en")}`, { class: "votes" });
  votes.append(element("span", " votes", { class: "unseen" }));
  item.append(element("span", rank, { class: "rank", "aria-hidden": "true" }), body, votes);
  return item;
}

function sentence(found) {
  if (found.is_empty) {
    return "There is no word here that tells one paper from another; name a topic or an author.";
  }
  const count = found.hits.length;
  const said = [count === 1 ? "1 paper." : `${count.toLocaleString("en")} papers.`];
  if (count > SHOWN) said.push(`The best ${SHOWN} are shown.`);
  for (const [word, meant] of found.meant) said.push(`“${word}” was taken for “${meant}”.`);
  if (!count) said.push("Try fewer words or another spelling.");
  if (found.has_and) said.push("AND is not known here: any of the words is enough.");
  if (found.has_phrase) said.push("Of a phrase all words are looked for, not their order.");
  return said.join(" ");
}

async function show() {
  const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
  document.getElementById("q").value = query;
  if (!query) return;
  const said = document.getElementById("said");
  said.textContent = refusal(query) ?? "Searching…";
  if (refusal(query)) return;
  try {
    const found = await search_papers(query);
    said.textContent = sentence(found);
    const cards = found.hits.slice(0, SHOWN).map((hit, at) => card(hit, at + 1));
    document.getElementById("found").replaceChildren(...cards);
  } catch (error) {
    said.textContent = `The index could not be read (${error.message}). Load the page again.`;
  }
}

show();
