// Runs side by side, and how sure it is that one is better than another.

import { Choice, Problem, Title, html } from "../parts.js";
import { useAnswer } from "../server.js";
import { duration, number, outcome } from "../words.js";

export function Compare({ words }) {
  const [found, error] = useAnswer(`/api/compare?${words}`);
  const choose = (metric) => {
    const next = new URLSearchParams(words);
    next.set("metric", metric);
    location.hash = `/compare?${next}`;
  };
  return html`<${Title}>Compare<//>
    <p><a href="#/models">All models</a></p>
    <${Problem} error=${error} />
    ${found && html`
      <section class="card"><h2>What can be said</h2>${found.sentences.map((each) => html`<p>${each}</p>`)}
        ${found.same && html`<${Choice} label="Compared by" value=${found.metric} onChange=${choose} hint="" options=${found.metrics.map((each) => ({ name: each.name, words: each.title }))} />`}</section>
      <div class="scroll" tabindex="0" role="region" aria-label="Runs side by side"><table class="side-by-side">
        <thead><tr><td></td>${found.runs.map((run) => html`<th scope="col"><a href=${`#/model/${run.id}`}>${run.name}</a></th>`)}</tr></thead>
        <tbody>
          <${Line} title="Data" cells=${found.runs.map((run) => run.data)} />
          <${Line} title="Items" cells=${found.runs.map((run) => `${number(run.items)} ${run.about}`)} />
          <${Line} title="Backbone" cells=${found.runs.map((run) => run.backbone || "none")} />
          <${Line} title="Sealed" cells=${found.runs.map((run) => run.candidate || run.state)} />
          <${Line} title="Verdict" cells=${found.runs.map((run) => outcome[run.outcome] || "–")} />
          <${Line} title="Time" cells=${found.runs.map((run) => (run.seconds ? duration(run.seconds) : "–"))} />
          ${found.scores.map((each) => html`<${Line} title=${each.title} cells=${each.texts.map((text) => text || "–")} figure />`)}
        </tbody></table></div>`}`;
}

const Line = ({ title, cells, figure }) => html`<tr><th scope="row">${title}</th>${cells.map((cell) => html`<td class=${figure ? "figure" : ""}>${cell}</td>`)}</tr>`;
