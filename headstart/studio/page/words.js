// Numbers and times as people say them.

export const number = (value) => Number(value).toLocaleString("en-US");

export function count(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

export function when(time) {
  const date = typeof time === "number" ? new Date(time * 1000) : new Date(time);
  if (Number.isNaN(date.valueOf())) return "";
  const clock = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const today = new Date().toDateString() === date.toDateString();
  return today ? `today ${clock}` : `${date.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" })}, ${clock}`;
}

export function small(value) {
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= size) return `${(value / size).toFixed(1)}${letter}`;
  }
  return String(value);
}

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

export const outcome = { positive: "transfer helped", negative: "transfer hurt", tie: "a tie", "not measured": "not measured", not_measured: "not measured" };

export const states = {
  waiting: "Waiting for its turn",
  running: "Running",
  stopping: "Stopping",
  done: "Finished",
  failed: "Failed",
  stopped: "Stopped",
  killed: "Ended by the system",
};
