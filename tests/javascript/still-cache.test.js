import assert from "node:assert/strict";
import { test } from "node:test";

import { StillCache } from "../../workbench/components/canvas/js/still-cache.js";
import { answering, serving, settled } from "./made.js";

const LARGE = { size: 40 << 20 };
const SMALL = { size: 1000 };

test("a still is fetched once", async (t) => {
  const asked = serving(t, () => answering(SMALL));
  const cache = new StillCache("/stills/");
  const [one, other] = await Promise.all([cache.get(3, "side=640"), cache.get(3, "side=640")]);
  assert.equal(one, other);
  await cache.get(3, "side=640");
  assert.deepEqual(asked, ["/stills/3?side=640"]);
  assert.equal(cache.requests.size, 0);
});

test("another size of a frame is another still", async (t) => {
  const asked = serving(t, () => answering(SMALL));
  const cache = new StillCache("/stills/");
  await cache.get(3, "side=640");
  assert.equal(cache.has(3, "side=960"), false);
  await cache.get(3, "side=960");
  assert.equal(asked.length, 2);
});

test("what was used longest ago goes when the budget is spent", async (t) => {
  serving(t, () => answering(LARGE));
  const cache = new StillCache("/stills/");
  await cache.get(0, "q");
  await cache.get(1, "q");
  await cache.get(0, "q");
  await cache.get(2, "q");
  assert.equal(cache.has(1, "q"), false);
  assert.deepEqual([...cache.kept.keys()], ["0?q", "2?q"]);
  assert.equal(cache.bytes, 2 * LARGE.size);
});

test("both pictures of a split view stay, however large they are", async (t) => {
  serving(t, () => answering({ size: 200 << 20 }));
  const cache = new StillCache("/stills/");
  await cache.get(0, "before");
  await cache.get(0, "after");
  assert.equal(cache.kept.size, 2);
  await cache.get(1, "before");
  assert.equal(cache.has(0, "before"), false);
  assert.equal(cache.kept.size, 2);
});

test("a failure tells the server's sentence, and the still is asked for again", async (t) => {
  let broken = true;
  serving(t, () => (broken ? answering({ error: "The disk is full." }, { ok: false, status: 507 }) : answering(SMALL)));
  const cache = new StillCache("/stills/");
  await assert.rejects(cache.get(0, "q"), /^Error: The disk is full\.$/);
  assert.equal(cache.has(0, "q"), false);
  broken = false;
  assert.equal(await cache.get(0, "q"), SMALL);
});

test("a failure without a sentence tells the status", async (t) => {
  const page = { ok: false, status: 502, json: async () => JSON.parse("<html>") };
  serving(t, () => page);
  await assert.rejects(new StillCache("/stills/").get(0, "q"), /The server answered with status 502\./);
});

test("no more than two stills are fetched ahead at a time, and all that are wanted", async (t) => {
  const waiting = [];
  const asked = serving(t, () => new Promise((resolve) => waiting.push(() => resolve(answering(SMALL)))));
  const cache = new StillCache("/stills/");
  cache.prefetch([1, 2, 3].map((index) => [index, "q"]));
  assert.deepEqual(asked, ["/stills/1?q&ahead=1", "/stills/2?q&ahead=1"]);
  waiting.shift()();
  await settled();
  assert.equal(asked.at(-1), "/stills/3?q&ahead=1");
  waiting.forEach((answer) => answer());
  await settled();
  assert.equal(cache.prefetching, 0);
  assert.equal(cache.kept.size, 3);
});

test("what is wanted now replaces what was wanted before", async (t) => {
  const waiting = [];
  const asked = serving(t, () => new Promise((resolve) => waiting.push(() => resolve(answering(SMALL)))));
  const cache = new StillCache("/stills/");
  cache.prefetch([1, 2, 3, 4].map((index) => [index, "q"]));
  cache.prefetch([[9, "q"]]);
  waiting.forEach((answer) => answer());
  await settled();
  assert.deepEqual(asked, ["/stills/1?q&ahead=1", "/stills/2?q&ahead=1", "/stills/9?q&ahead=1"]);
});

test("a failure ahead is nobody's, and the next is fetched", async (t) => {
  const asked = serving(t, () => answering({}, { ok: false, status: 500 }));
  const cache = new StillCache("/stills/");
  cache.prefetch([1, 2, 3].map((index) => [index, "q"]));
  await settled();
  assert.equal(asked.length, 3);
  assert.equal(cache.prefetching, 0);
});

test("one who waits does not stand behind a still that is fetched ahead", async (t) => {
  const asked = serving(t, () => new Promise(() => {}));
  const cache = new StillCache("/stills/");
  cache.get(1, "q", true);
  cache.get(1, "q");
  cache.get(1, "q", true);
  assert.deepEqual(asked, ["/stills/1?q&ahead=1", "/stills/1?q"]);
});

test("going elsewhere gives up what was waited for, but not what is fetched ahead", (t) => {
  const signals = {};
  serving(t, (url, { signal }) => {
    signals[url] = signal;
    return new Promise(() => {});
  });
  const cache = new StillCache("/stills/");
  cache.get(1, "q");
  cache.get(2, "q");
  cache.get(3, "q", true);
  cache.only(2);
  assert.equal(signals["/stills/1?q"].aborted, true);
  assert.equal(signals["/stills/2?q"].aborted, false);
  assert.equal(signals["/stills/3?q&ahead=1"].aborted, false);
  assert.deepEqual([...cache.requests.keys()], ["2?q", "3?q"]);
});

test("nothing is left after it was cleared", async (t) => {
  serving(t, () => answering(SMALL));
  const cache = new StillCache("/stills/");
  await cache.get(1, "q");
  cache.clear();
  assert.equal(cache.has(1, "q"), false);
  assert.equal(cache.bytes, 0);
});
