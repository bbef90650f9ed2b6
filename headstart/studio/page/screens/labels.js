// Suspected label errors, one by one: keep, change or leave out. What is decided becomes a new table.

import { useEffect, useState } from "preact/hooks";
import { Action, Field, Problem, go, html } from "../parts.js";
import { post, useAnswer } from "../server.js";
import { count, percent } from "../words.js";

export function Labels({ model }) {
  const [found, error] = useAnswer(`/api/models/${model.id}/suspects`);
  const key = `labels ${model.id}`;
  const [decided, setDecided] = useState(() => JSON.parse(sessionStorage.getItem(key) || "{}"));
  useEffect(() => sessionStorage.setItem(key, JSON.stringify(decided)), [decided]);
  const [source, setSource] = useState();
  if (error) return html`<${Problem} error=${error} />`;
  if (!found) return html`<p class="quiet">Reading …</p>`;
  const suspects = found.suspects.filter((each) => each.path);
  if (!suspects.length) {
    return html`<section class="card"><h2>No label is suspected</h2><p>Either every label fits what the model has learnt, or this run kept no items to look at.</p></section>`;
  }
  const decide = (path, label) => {
    const next = { ...decided };
    if (label === undefined) delete next[path];
    else next[path] = label;
    setDecided(next);
  };
  const known = suspects.filter((each) => each.path in decided);
  const left = known.filter((each) => decided[each.path] === null).length;
  const from = source ?? found.source;
  const again = async () => {
    const changes = known.map((each) => ({ path: each.path, label: decided[each.path] }));
    const made = await post(`/api/models/${model.id}/labels`, { source: from, columns: found.columns, changes });
    const check = await post("/api/checks", { source: made.source, columns: made.columns, task: made.task || "auto" });
    sessionStorage.removeItem(key);
    go(`/check/${check.id}`);
  };
  return html`
    <p class="lead">Items whose label fits badly with what was learnt from all the others, the most suspicious first. Some will be errors,
      some merely hard. Your own files are never changed: what you decide becomes a new table.</p>
    <ol class="suspects">${suspects.map((each) => html`<${Suspect} key=${each.path} each=${each} names=${found.names} model=${model} label=${decided[each.path]} given=${each.path in decided} onDecide=${decide} />`)}</ol>
    <section class="card sticky"><div class="row spread">
      <p role="status">${known.length ? `${count(known.length - left, "label")} changed, ${count(left, "item")} left out` : "Nothing changed yet"}</p>
      <div><${Action} kind="main" run=${again} disabled=${!known.length || !from}>Fit again with these labels<//></div></div>
      ${!found.source && html`<${Field} label="Where the data are" hint="The folder or table that this model was fitted to."><input type="text" value=${source ?? ""} onInput=${(event) => setSource(event.target.value.trim())} /><//>`}
    </section>`;
}

function Suspect({ each, names, model, label, given, onDecide }) {
  const way = given ? (label === null ? "out" : "change") : "keep";
  const radio = (value, words, act) => html`<label class="check"><input type="radio" name=${`decide ${each.path}`} checked=${way === value} onChange=${act} /> ${words}</label>`;
  const choices = [...new Set([each.likely, ...names])].filter((name) => name !== each.said);
  return html`<li class="card suspect ${way}">
    ${each.picture ? html`<img src=${`/api/models/${model.id}/shown?name=${encodeURIComponent(each.picture)}`} alt=${`labelled ${each.said}`} loading="lazy" />` : html`<span class="broken" aria-hidden="true">?</span>`}
    <div><p class="pair"><span><span class="quiet">labelled</span> <b>${each.said}</b> <span class="quiet figure">${share(each.said_probability)}</span></span>
      <span><span class="quiet">more likely</span> <b>${each.likely}</b> <span class="quiet figure">${share(each.likely_probability)}</span></span></p>
      <p class="path quiet">${each.where}</p>
      <fieldset><legend class="unseen">What to do with ${each.where}</legend>
        ${radio("keep", `Keep ${each.said}`, () => onDecide(each.path))}
        ${radio("change", "Change to", () => onDecide(each.path, each.likely))}
        <select aria-label=${`New label of ${each.where}`} value=${label ?? each.likely} onChange=${(event) => onDecide(each.path, event.target.value)}>
          ${choices.map((name) => html`<option value=${name}>${name}</option>`)}</select>
        ${radio("out", "Leave out", () => onDecide(each.path, null))}
      </fieldset></div></li>`;
}

const share = (value) => (typeof value === "number" ? percent(value) : "");
