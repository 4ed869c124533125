/* Stills and faces from the server: fetched once, kept within bounds, neighbours fetched ahead. */

const BLOB_BUDGET = 96 << 20;
const PREFETCHES = 2;
const CHUNK = 256;
const CHUNKS = 24;

async function answerOf(response) {
  if (response.ok) return response;
  let told = null;
  try { told = (await response.json()).error; } catch { /* a proxy's page holds no sentence of ours */ }
  throw new Error(told || `The server answered ${response.status}.`);
}

class Stills {
  constructor(base) {
    this.base = base;
    this.kept = new Map();
    this.bytes = 0;
    this.flying = new Map();
    this.wanted = [];
    this.ahead = 0;
  }

  has(index, look) { return this.kept.has(`${index}?${look}`); }

  get(index, look, ahead = false) {
    const key = `${index}?${look}`;
    const blob = this.kept.get(key);
    if (blob) {
      this.kept.delete(key);
      this.kept.set(key, blob);
      return Promise.resolve(blob);
    }
    const flying = this.flying.get(key);
    if (flying && (ahead || !flying.ahead)) return flying.coming;
    const gone = new AbortController();
    const coming = this.fetched(key, ahead, gone.signal).finally(() => { if (this.flying.get(key)?.coming === coming) this.flying.delete(key); });
    this.flying.set(key, { coming, ahead, index, gone });
    return coming;
  }

  /* Give up what was waited for and is not any more; the server leaves out what it has not begun. */
  only(index) {
    for (const [key, one] of this.flying) {
      if (!one.ahead && one.index !== index) { this.flying.delete(key); one.gone.abort(); }
    }
  }

  async fetched(key, ahead, signal) {
    const response = await answerOf(await fetch(`${this.base}${key}${ahead ? "&ahead=1" : ""}`, { credentials: "same-origin", cache: "no-store", signal }));
    const blob = await response.blob();
    this.bytes += blob.size - (this.kept.get(key)?.size ?? 0);
    this.kept.set(key, blob);
    for (const [old, data] of this.kept) {
      if (this.bytes <= BLOB_BUDGET || this.kept.size < 3) break;
      this.kept.delete(old);
      this.bytes -= data.size;
    }
    return blob;
  }

  /* What to fetch when nothing is waited for, most wanted first; replaces what was wanted before. */
  want(list) {
    this.wanted = list.filter(([index, look]) => !this.has(index, look));
    this.pump();
  }

  pump() {
    while (this.ahead < PREFETCHES && this.wanted.length) {
      const [index, look] = this.wanted.shift();
      if (this.has(index, look) || this.flying.has(`${index}?${look}`)) continue;
      this.ahead += 1;
      this.get(index, look, true).catch(() => {}).finally(() => { this.ahead -= 1; this.pump(); });
    }
  }

  clear() { this.kept.clear(); this.bytes = 0; this.wanted = []; }
}

class Faces {
  constructor(base, count) {
    this.base = base;
    this.count = count;
    this.revision = null;
    this.chunks = new Map();
    this.flying = new Map();
  }

  /* Forget what another revision said. */
  at(revision) {
    if (revision === this.revision) return;
    this.revision = revision;
    this.chunks.clear();
    this.flying.clear();
  }

  now(index) {
    const chunk = this.chunks.get(Math.floor(index / CHUNK));
    return chunk ? chunk[index % CHUNK] : null;
  }

  async get(index) {
    const number = Math.floor(index / CHUNK);
    if (!this.chunks.has(number)) await this.load(number);
    return this.now(index);
  }

  load(number) {
    if (this.flying.has(number)) return this.flying.get(number);
    const start = number * CHUNK, revision = this.revision;
    const coming = fetch(`${this.base}${start}-${Math.min(this.count, start + CHUNK)}`, { credentials: "same-origin", cache: "no-store" })
      .then(answerOf).then((response) => response.json()).then((told) => {
        if (revision !== this.revision) return;
        this.chunks.set(number, told.frames);
        if (this.chunks.size > CHUNKS) this.chunks.delete(this.chunks.keys().next().value);
      }).finally(() => { if (this.flying.get(number) === coming) this.flying.delete(number); });
    this.flying.set(number, coming);
    return coming;
  }

  ahead(index) {
    for (const near of [index + 64, index - 64]) {
      const number = Math.floor(near / CHUNK);
      if (near >= 0 && near < this.count && !this.chunks.has(number)) this.load(number).catch(() => {});
    }
  }
}

/* Frames that were painted while the page was visible, told to the server in batches; `flags` are anybody's. */
class Seen {
  constructor(url, own, anybody, count) {
    this.url = url;
    this.own = new Uint8Array(count);
    this.flags = new Uint8Array(count);
    this.count = 0;
    this.mine = 0;
    for (const [start, stop] of own) { this.own.fill(1, start, stop); this.mine += stop - start; }
    for (const [start, stop] of anybody) for (let i = start; i < stop; i += 1) this.mark(i);
    this.fresh = new Set();
    this.timer = null;
    this.leaving = () => { if (document.visibilityState === "hidden") this.tell(); };
    document.addEventListener("visibilitychange", this.leaving);
  }

  mark(index) {
    this.count += 1 - this.flags[index];
    this.flags[index] = 1;
  }

  add(index) {
    if (document.visibilityState !== "visible" || this.own[index]) return;
    this.own[index] = 1;
    this.mine += 1;
    this.mark(index);
    this.fresh.add(index);
    if (this.fresh.size >= 200) this.tell();
    else if (!this.timer) this.timer = setTimeout(() => this.tell(), 4000);
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = null;
    if (!this.fresh.size) return;
    const told = [...this.fresh];
    this.fresh.clear();
    fetch(this.url, {
      method: "POST", credentials: "same-origin", keepalive: true,
      headers: { "Content-Type": "application/json", "X-Veil": "review" }, body: JSON.stringify({ ranges: rangesOf(told) }),
    }).then(answerOf).catch(() => { for (const index of told) this.fresh.add(index); });
  }

  end() { this.tell(); document.removeEventListener("visibilitychange", this.leaving); }
}

function rangesOf(indices) {
  const ranges = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    const last = ranges[ranges.length - 1];
    if (last && last[1] === index) last[1] = index + 1; else ranges.push([index, index + 1]);
  }
  return ranges;
}
