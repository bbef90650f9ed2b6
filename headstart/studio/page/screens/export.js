// Taking a model elsewhere.

import { html } from "../parts.js";

export function Export({ model }) {
  return html`<section class="card"><h2>The model is a folder</h2>
    <p>Copy it whole; on any machine with headstart it predicts the same:</p>
    <pre>headstart predict ${model.path} FILES</pre></section>`;
}
