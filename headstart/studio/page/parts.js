// What several screens are made of.

import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import htm from "htm";
import { number, small, states } from "./words.js";

export const html = htm.bind(h);

export const go = (path, words = {}) => {
  const query = new URLSearchParams(words).toString();
  location.hash = query ? `${path}?${query}` : path;
};

// The screen's heading takes the focus when the screen is new, so that a keyboard and a screen reader start there.
export function Title({ children, above }) {
  const place = useRef();
  useEffect(() => {
    place.current?.focus({ preventScroll: true });
    document.title = `${place.current?.textContent} · headstart studio`;
  }, []);
  return html`<header class="title">
    ${above && html`<p class="above">${above}</p>`}
    <h1 tabindex="-1" ref=${place}>${children}</h1>
  </header>`;
}

// An error as the command line tells it: what was wrong, where, what was expected, the next move.
export function Problem({ error, children }) {
  if (!error) return null;
  const parts = error.parts || error;
  return html`<div class="problem" role="alert">
    <p class="what">${parts.what || String(error)}</p>
    ${parts.where && html`<p><span class="part">Where</span><span class="path">${parts.where}</span></p>`}
    ${parts.expected && html`<p><span class="part">Expected</span><span>${parts.expected}</span></p>`}
    ${parts.next && html`<p><span class="part">Next</span><span>${parts.next}</span></p>`}
    ${children && html`<div class="row">${children}</div>`}
  </div>`;
}

// Words of an item, as a run keeps them or a check shows them; each text has a direction of its own.
export const Words = ({ words }) => html`<div class="words">${words.texts.map((text) => html`<p dir="auto">${text.runs.map(([said]) => said)}${text.left > 0 && "…"}</p>`)}</div>`;

export const State = ({ state }) => html`<span class="state ${state}">${states[state] || state}</span>`;

export function Bar({ done, total, label }) {
  const known = Number(total) > 0;
  const share = known ? Math.min(1, done / total) : undefined;
  return html`<progress aria-label=${label} max="1" value=${share}></progress>`;
}

// A button that says when its work is under way, and shows what came of it.
export function Action({ run, children, kind = "", disabled = false, busy = "One moment …" }) {
  const [working, setWorking] = useState(false);
  const [error, setError] = useState();
  const alive = useRef(true);
  useEffect(() => () => (alive.current = false), []);
  const click = async () => {
    setWorking(true);
    setError(undefined);
    try {
      await run();
    } catch (found) {
      if (alive.current) setError(found);
    }
    if (alive.current) setWorking(false);
  };
  return html`<button type="button" class=${kind} disabled=${disabled || working} aria-busy=${working} onClick=${click}>
      ${working ? busy : children}</button>
    ${error && html`<${Problem} error=${error} />`}`;
}

export function Field({ label, hint, children }) {
  return html`<label class="field"><span class="name">${label}</span>${children}
    ${hint && html`<span class="hint">${hint}</span>`}</label>`;
}

export function Choice({ label, value, options, onChange, hint }) {
  const chosen = options.find((each) => each.name === value);
  return html`<${Field} label=${label} hint=${hint ?? chosen?.summary}>
    <select value=${value} onChange=${(event) => onChange(event.target.value)}>
      ${options.map((each) => html`<option value=${each.name} selected=${each.name === value}>${each.words || each.name}</option>`)}
    </select><//>`;
}

const KINDS = { baseline: "no network", transfer: "transferred", scratch: "from scratch" };

// The evidence table: a row a candidate, the second score drawn with its interval on one common scale.
export function Evidence({ table, waiting = [], at, sealed }) {
  if (!table || (!table.rows.length && !waiting.length)) return null;
  const drawn = table.heads.length > 1 ? 1 : 0;
  const ends = table.rows.map((row) => row.scores[drawn]).filter(Boolean);
  const place = scaleOf(ends, table.heads[drawn]);
  const best = sealed ?? bestOf(table);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Evidence table"><table class="evidence">
    <caption>Measured on the validation items; lines are 95 % intervals.</caption>
    <thead><tr><th scope="col">Candidate</th><th scope="col" class="wide">Kind</th>
      ${table.heads.map((head) => html`<th scope="col" class="figure">${head.title}${head.unit && `, ${head.unit}`}</th>`)}
      ${ends.length > 0 && html`<th scope="col" class="plot"><span class="unseen">Interval</span></th>`}
      <th scope="col" class="figure wide">Seconds</th><th scope="col" class="figure wide">Parameters</th></tr></thead>
    <tbody>
      ${table.rows.map((row) => html`<tr key=${row.name} class=${row.name === best ? "best" : row.status === "measured" ? "" : "left-out"}>
        <th scope="row">${row.name}${row.name === best && html` <span class="tag">${sealed ? "sealed" : "best so far"}</span>`}
          <span class="note narrow">${KINDS[row.kind] || row.kind}</span>
          ${row.status !== "measured" && html`<span class="note">${row.status}</span>`}</th>
        <td class="wide">${KINDS[row.kind] || row.kind}</td>
        ${table.heads.map((_, i) => html`<td class="figure">${row.scores[i]?.text ?? "–"}</td>`)}
        ${ends.length > 0 && html`<td class="plot">${row.scores[drawn] && html`<${Interval} score=${row.scores[drawn]} place=${place} />`}</td>`}
        <td class="figure wide">${row.seconds ? row.seconds.toFixed(1) : "–"}</td>
        <td class="figure wide">${row.trainable ? small(row.trainable) : "–"}</td></tr>`)}
      ${waiting.map((row) => html`<tr key=${row.name} class="waiting"><th scope="row">${row.name}</th>
        <td colspan=${table.heads.length + (ends.length ? 4 : 3)}>${at === row.name ? "at work …" : "to come"}</td></tr>`)}
    </tbody></table></div>`;
}

// A score far below the others (a guess, most often) would squeeze them into a dot: it is drawn at the edge.
function scaleOf(scores, head) {
  if (!scores.length) return () => 0;
  const worst = (score) => (head.higher ? -score.low : score.high);
  const kept = [...scores].sort((a, b) => worst(a) - worst(b)).slice(0, Math.max(2, Math.ceil(0.8 * scores.length)));
  const low = Math.min(...kept.map((score) => score.low));
  const wide = Math.max(...kept.map((score) => score.high)) - low || 1;
  return (value) => 6 + Math.max(-3, Math.min(111, (108 * (value - low)) / wide));
}

function Interval({ score, place }) {
  const [low, middle, high] = [score.low, score.value, score.high].map(place);
  const away = middle <= 3 ? "M8 4 3 8l5 4" : middle >= 117 ? "m112 4 5 4-5 4" : "";
  return html`<svg viewBox="0 0 120 16" width="120" height="16" role="img" aria-label=${`interval ${score.interval}`}>
    ${away ? html`<path d=${away} />` : html`<line x1=${low} x2=${high} y1="8" y2="8" /><circle cx=${middle} cy="8" r="3.5" />`}</svg>`;
}

function bestOf(table) {
  const head = table.heads[0];
  const able = table.rows.filter((row) => row.status === "measured" && row.scores[0]);
  if (!head || able.length < 2) return undefined;
  const sign = head.higher ? 1 : -1;
  return able.reduce((first, row) => (sign * row.scores[0].value > sign * first.scores[0].value ? row : first)).name;
}

// Horizontal bars with names and numbers: classes with their items, or with their probability.
export function Bars({ rows, text = number, most }) {
  const top = most ?? Math.max(...rows.map(([, value]) => value), 1e-9);
  return html`<ul class="bars">${rows.map(([name, value]) => html`<li key=${name}>
    <span class="name" title=${name}>${name}</span>
    <span class="track"><span class="fill" style=${{ width: `${(100 * value) / top}%` }}></span></span>
    <span class="value">${text(value)}</span></li>`)}</ul>`;
}
