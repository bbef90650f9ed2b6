// The models of this machine; ticking two or more compares them.

import { useState } from "preact/hooks";
import { Problem, Title, go, html } from "../parts.js";
import { useAnswer } from "../server.js";
import { number, outcome, when } from "../words.js";

export function Models() {
  const [found, error] = useAnswer("/api/models");
  const [ticked, setTicked] = useState([]);
  const tick = (id) => setTicked(ticked.includes(id) ? ticked.filter((each) => each !== id) : [...ticked, id]);
  const compare = () => {
    location.hash = `/compare?${ticked.map((id) => `model=${id}`).join("&")}`;
  };
  return html`<${Title}>Models<//>
    <${Problem} error=${error} />
    ${found && !found.runs.length && html`<p class="lead">No model was made on this machine yet. <a href="#/">Choose data</a> to begin.</p>`}
    ${found?.runs.length > 0 && html`
      <div class="row spread"><p class="quiet">Tick two or more to compare them; the first one ticked is what the others are compared with.</p>
        <button type="button" class="main" disabled=${ticked.length < 2} onClick=${compare}>Compare ${ticked.length > 1 ? number(ticked.length) : ""}</button></div>
      <ul class="list">${found.runs.map((run) => html`<li key=${run.id}>
        <label class="check"><input type="checkbox" checked=${ticked.includes(run.id)} disabled=${run.state !== "finished"} onChange=${() => tick(run.id)} /><span class="unseen">Compare ${run.name}</span></label>
        ${run.state === "finished"
          ? html`<a href=${`#/model/${run.id}`}><span class="name">${run.name}</span><span class="quiet">${number(run.items)} items ${run.about} of <span class="path">${run.data}</span></span></a>`
          : html`<span class="body"><span class="name">${run.name}</span><span class="quiet">not finished; continue it under <a href="#/fits">Fits</a>, or with --resume</span></span>`}
        <span class="side">${run.score && html`<span class="figure">${run.score.text} <span class="quiet">${run.score.title.toLowerCase()}</span></span>`}
          <span class="quiet">${[outcome[run.outcome], when(run.when)].filter(Boolean).join(" · ")}</span></span></li>`)}</ul>
      ${found.damaged.map((each) => html`<p class="quiet"><span class="path">${each.path}</span>: ${each.what}</p>`)}`}`;
}
