// Talking to the studio's server: every refusal is an error with its four parts, and watching is asking again.

import { useEffect, useRef, useState } from "preact/hooks";

export class Told extends Error {
  constructor(parts) {
    super(parts.what || "Something went wrong");
    this.parts = parts;
  }
}

export const unreachable = {
  what: "The studio does not answer",
  next: "If it was closed, start headstart studio again and open the address it prints; fits go on meanwhile",
};

export async function ask(path, { method = "GET", data, body, signal } = {}) {
  const headers = data === undefined ? {} : { "content-type": "application/json" };
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      signal,
      credentials: "same-origin",
      body: data === undefined ? body : JSON.stringify(data),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Told(unreachable);
  }
  if (response.ok) return response.json();
  let parts;
  try {
    parts = await response.json();
  } catch {
    const stale = response.status === 403;
    parts = stale
      ? { what: "This page belongs to a studio that was closed", next: "Open the address that headstart studio printed last" }
      : { what: `The studio answered with ${response.status}` };
  }
  throw new Told(parts);
}

export const post = (path, data = {}) => ask(path, { method: "POST", data });

// Asks once, and again whenever `path` changes. Gives [answer, error, ask again].
export function useAnswer(path, options) {
  const [state, set] = useState([undefined, undefined]);
  const [turn, again] = useState(0);
  useEffect(() => {
    if (!path) return undefined;
    const control = new AbortController();
    set([undefined, undefined]);
    ask(path, { ...options, signal: control.signal }).then(
      (found) => set([found, undefined]),
      (error) => error.name !== "AbortError" && set([undefined, error]),
    );
    return () => control.abort();
  }, [path, turn]);
  return [...state, () => again(turn + 1)];
}

// Asks again and again until `until(answer)`; what was known stays while the server is away.
export function useWatched(path, until, pause = 800) {
  const [state, set] = useState([undefined, undefined]);
  const [turn, again] = useState(0);
  const done = useRef(until);
  done.current = until;
  useEffect(() => {
    let timer;
    let over = false;
    set((before) => (turn ? before : [undefined, undefined]));
    const look = async () => {
      let wait = document.hidden ? 4 * pause : pause;
      try {
        const found = await ask(path);
        if (over) return;
        set([found, undefined]);
        if (done.current(found)) return;
      } catch (error) {
        if (over) return;
        set((before) => [before[0], error]);
        wait = 3 * pause;
      }
      timer = setTimeout(look, wait);
    };
    look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [path, turn]);
  return [...state, () => again((each) => each + 1)];
}
