// Taking a model elsewhere: as the folder it is, or written for other programs, by whatever formats there are.

import { useState } from "preact/hooks";
import { Action, Field, Problem, State, html } from "../parts.js";
import { post, useWatched } from "../server.js";
import { when } from "../words.js";

const ENDED = ["done", "failed", "stopped", "killed"];

export function Export({ model }) {
  const path = `/api/models/${model.id}/exports`;
  const [found, error, again] = useWatched(path, (each) => each.jobs.every((job) => ENDED.includes(job.state)));
  return html`<${Problem} error=${error} />
    <div class="two">
      <div>
        <section class="card"><h2>The model is a folder</h2>
          <p>Copy it whole; on any machine with headstart it predicts the same:</p><pre>headstart predict ${model.path} FILES</pre>
          <p>It can also answer other programs over HTTP:</p><pre>headstart serve ${model.path}</pre></section>
        ${found?.formats.map((each) => html`<${Format} key=${each.name} each=${each} path=${path} again=${again} />`)}
      </div>
      <section class="card" aria-live="polite"><h2>Written here</h2>
        ${found && !found.jobs.length && html`<p class="quiet">Nothing was exported from here yet.</p>`}
        ${found?.jobs.map((job) => html`<${Made} key=${job.id} job=${job} />`)}</section>
    </div>`;
}

function Format({ each, path, again }) {
  const [output, setOutput] = useState();
  const [on, setOn] = useState([]);
  const write = async () => {
    await post(path, { to: each.name, output: output ?? each.output, switches: on });
    setOutput(undefined);
    again();
  };
  const turn = (name) => setOn(on.includes(name) ? on.filter((other) => other !== name) : [...on, name]);
  return html`<section class="card" aria-label=${each.name}><h2>${each.name}</h2><p class="quiet">${each.summary}</p>
    <${Field} label="Goes to"><input type="text" spellcheck="false" value=${output ?? each.output} onInput=${(event) => setOutput(event.target.value)} /><//>
    <div class="row"><${Action} run=${write}>Write ${each.name}<//>
      ${each.switches.map((name) => html`<label class="check"><input type="checkbox" checked=${on.includes(name)} onChange=${() => turn(name)} /> ${name}</label>`)}</div></section>`;
}

function Made({ job }) {
  const { result } = job;
  const task = job.progress?.task;
  return html`<article class="made"><p><b>${job.to}</b> <${State} state=${job.state} /> <span class="quiet">${when(job.created)}</span></p>
    <p class="path">${job.output}</p>
    ${!ENDED.includes(job.state) && html`<progress aria-label=${task?.name ?? "Writing"} max="1"></progress><p class="quiet">${task?.name ?? "Starting"} …</p>`}
    <${Problem} error=${job.error} />
    ${result?.path && html`<p class="quiet">${(result.size / 1e6).toFixed(1)} MB; read back and compared with the model on ${result.golden + result.items} items, largest difference ${Number(result.difference).toPrecision(1)}</p>
      ${(result.cost?.notes || []).concat(result.notes || []).map((note) => html`<p class="quiet">${note}</p>`)}
      <details><summary>How to use it</summary><pre>${(result.use || []).join("\n")}</pre><p class="quiet">With ${(result.needs || []).join(" and ")} installed.</p></details>`}
  </article>`;
}
