// Suspected label errors, one by one: keep, change or leave out. What is decided becomes a new table.

import { useEffect, useState } from "preact/hooks";
import { Action, Field, Problem, Words, go, html } from "../parts.js";
import { post, useAnswer } from "../server.js";
import { count, number, percent } from "../words.js";

export function Labels({ model }) {
  const [found, error] = useAnswer(`/api/models/${model.id}/suspects`);
  const key = `labels ${model.id}`;
  const [decided, setDecided] = useState(() => JSON.parse(sessionStorage.getItem(key) || "{}"));
  useEffect(() => sessionStorage.setItem(key, JSON.stringify(decided)), [decided]);
  const [source, setSource] = useState();
  if (error) return html`<${Problem} error=${error} />`;
  if (!found) return html`<p class="quiet">Reading …</p>`;
  const { suspects } = found;
  if (!suspects.length) {
    return html`<section class="card"><h2>No label is suspected</h2><p>${found.kept
      ? "Every label fits what was learnt from the others, or the items are no files of their own."
      : "This run kept nothing to look at; a new fit does."}</p></section>`;
  }
  const decide = (key, label) => {
    const next = { ...decided };
    if (label === undefined) delete next[key];
    else next[key] = label;
    setDecided(next);
  };
  const known = suspects.filter((each) => keyOf(each) in decided);
  const left = known.filter((each) => decided[keyOf(each)] === null).length;
  const from = source ?? found.source;
  const again = async () => {
    const changes = known.map((each) => ({ path: each.path, said: each.said, label: decided[keyOf(each)] }));
    const made = await post(`/api/models/${model.id}/labels`, { source: from, columns: found.columns, changes });
    const check = await post("/api/checks", { source: made.source, columns: made.columns, task: made.task });
    sessionStorage.removeItem(key);
    go(`/check/${check.id}`);
  };
  return html`
    <p class="lead">Items whose label fits badly with what was learnt from all the others, the most suspicious first. Some will be errors,
      some merely hard. Your own files are never changed: what you decide becomes a new table.</p>
    <ol class="suspects">${suspects.map((each) => html`<${Suspect} key=${keyOf(each)} each=${each} model=${model} label=${decided[keyOf(each)]} given=${keyOf(each) in decided} onDecide=${decide} />`)}</ol>
    ${found.more > 0 && html`<p class="quiet">and ${number(found.more)} more; fit again with these corrected first</p>`}
    <section class="card sticky"><div class="row spread">
      <p role="status">${known.length ? `${count(known.length - left, "label")} changed, ${count(left, "item")} left out` : "Nothing changed yet"}</p>
      <div><${Action} kind="main" run=${again} disabled=${!known.length || !from}>Fit again with these labels<//></div></div>
      ${!found.source && html`<${Field} label="Where the data are" hint="The folder or table that this model was fitted to."><input type="text" value=${source ?? ""} onInput=${(event) => setSource(event.target.value.trim())} /><//>`}
    </section>`;
}

const keyOf = (each) => `${each.path}\n${each.said}\n${each.likely}`;

function Suspect({ each, model, label, given, onDecide }) {
  const key = keyOf(each);
  const way = given ? (label === null ? "out" : "change") : "keep";
  const radio = (value, words, act) => html`<label class="check"><input type="radio" name=${`decide ${key}`} checked=${way === value} onChange=${act} /> ${words}</label>`;
  const choices = each.corrections.filter((name) => name !== each.said && name !== each.likely);
  const change = (event) => onDecide(key, event.target.value);
  return html`<li class=${`card suspect ${way} ${each.words ? "written" : ""}`}>
    ${each.words ? html`<${Words} words=${each.words} />` : each.picture ? html`<img src=${`/api/models/${model.id}/shown?name=${encodeURIComponent(each.picture)}`} alt=${`labelled ${each.said}`} loading="lazy" />` : html`<span class="broken" aria-hidden="true">?</span>`}
    <div><p class="pair"><span><span class="quiet">labelled</span> <b>${each.said}</b> <span class="quiet figure">${share(each.said_probability)}</span></span>
      <span><span class="quiet">more likely</span> <b>${each.likely}</b> <span class="quiet figure">${share(each.likely_probability)}</span></span></p>
      <p class="path quiet">${each.where}${each.likely_probability === null ? html` · ${each.because}` : ""}</p>
      <fieldset><legend class="unseen">What to do with ${each.where}</legend>
        ${radio("keep", `Keep ${each.said}`, () => onDecide(key))}
        ${radio("change", each.corrections.length === 1 ? `Change to ${each.likely}` : "Change to", () => onDecide(key, each.likely))}
        ${choices.length > 0 && html`<select aria-label=${`New label of ${each.where}`} value=${label ?? each.likely} onChange=${change}>
          ${[each.likely, ...choices].map((name) => html`<option value=${name} selected=${name === (label ?? each.likely)}>${name}</option>`)}</select>`}
        ${each.corrections.length === 0 && html`<input type="text" inputmode="decimal" class="short" aria-label=${`New value of ${each.where}`} value=${label ?? each.likely} onChange=${change} />`}
        ${radio("out", "Leave out", () => onDecide(key, null))}
      </fieldset></div></li>`;
}

function share(value) {
  if (typeof value !== "number") return "";
  return value < 0.0005 ? "< 0.1 %" : percent(value);
}
