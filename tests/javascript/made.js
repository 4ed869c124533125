/** What the tests make up: data of a run, and parts of the canvas that only note what is asked of them. */

export function spot(key, at, more = {}) {
  const around = { start: at, stop: at + 1, box: null, track: null };
  return {
    key,
    at,
    kind: "weak",
    label: "Weak evidence",
    accept: "Mask is right",
    reason: "",
    risk: 0.5,
    state: "open",
    ...around,
    ...more,
  };
}

export function track(number, start, stop, runs = [["d", stop - start]]) {
  return { track: number, start, stop, runs };
}

export function person(tracks, more = {}) {
  const spans = tracks.map((number) => [10 * number, 10 * number + 5]);
  const keys = tracks.map((number) => `person:${number}:${10 * number}-${10 * number + 5}`);
  const faces = tracks.map((number) => ({ track: number, frame: 10 * number, box: [10, 10, 30, 30] }));
  return { tracks, keys, spans, name: "", arranged: false, faces, stretches: spans, state: "open", ...more };
}

export function face(number, box = [10, 10, 30, 30], more = {}) {
  return { track: number, box, origin: "detected", ...more };
}

export function reviewData(more = {}) {
  return {
    ...{ run: "run-1", revision: "0123456789abcdef", frames: 100, width: 320, height: 240, step: 0.04, style: "blur" },
    urls: { stills: "/stills/", frames: "/frames/", seen: "/seen", previews: "/previews/" },
    at: { frame: null, track: null },
    ...{
      spots: [],
      cuts: [],
      risk: [0],
      tracks: [],
      amendments: [],
      audio: [],
      seen: [],
      seen_by_anybody: [],
      message: null,
    },
    rights: { amend: true, why: "" },
    ...more,
  };
}

/** Notes every call of some methods, as name and arguments. */
export function noting(...names) {
  const calls = [];
  const made = { calls };
  for (const name of names) {
    made[name] = (...words) => {
      calls.push([name, ...words]);
    };
  }
  return made;
}

/** Answers `fetch` by a function of the address until the test is over. */
export function serving(test, answer) {
  const asked = [];
  test.mock.method(globalThis, "fetch", async (url, options) => {
    asked.push(url);
    return answer(url, options);
  });
  return asked;
}

export function answering(value, { ok = true, status = 200 } = {}) {
  return { ok, status, blob: async () => value, json: async () => value };
}

/** Lets everything happen that waits for nothing but its turn. */
export function settled() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
