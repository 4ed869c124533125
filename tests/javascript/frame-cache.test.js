import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameCache } from "../../workbench/components/canvas/js/frame-cache.js";
import { answering, serving, settled } from "./made.js";

function framesOf(url) {
  const [start, stop] = url.split("/").at(-1).split("-").map(Number);
  return answering({ frames: Array.from({ length: stop - start }, (_, place) => ({ i: start + place })) });
}

function cacheOf(count) {
  const cache = new FrameCache("/frames/", count);
  cache.use("one");
  return cache;
}

test("frames come many at a time, the last ones too", async (t) => {
  const asked = serving(t, framesOf);
  const cache = cacheOf(300);
  assert.equal(cache.peek(0), null);
  assert.equal((await cache.get(0)).i, 0);
  assert.equal(cache.peek(255).i, 255);
  assert.equal(cache.peek(256), null);
  assert.equal((await cache.get(299)).i, 299);
  assert.deepEqual(asked, ["/frames/0-256", "/frames/256-300"]);
});

test("two who wait for the same frames ask once", async (t) => {
  const asked = serving(t, framesOf);
  const cache = cacheOf(10);
  await Promise.all([cache.get(0), cache.get(9)]);
  assert.equal(asked.length, 1);
});

test("another revision forgets everything", async (t) => {
  const asked = serving(t, framesOf);
  const cache = cacheOf(10);
  await cache.get(0);
  cache.use("one");
  assert.equal(cache.peek(0).i, 0);
  cache.use("two");
  assert.equal(cache.peek(0), null);
  await cache.get(0);
  assert.equal(asked.length, 2);
});

test("an answer of the revision before is dropped", async (t) => {
  let answer = null;
  serving(t, (url) => new Promise((resolve) => (answer = () => resolve(framesOf(url)))));
  const cache = cacheOf(10);
  const coming = cache.get(0);
  cache.use("two");
  answer();
  assert.equal(await coming, null);
  assert.equal(cache.chunks.size, 0);
});

test("a failure is told, and the frames are asked for again", async (t) => {
  let broken = true;
  serving(t, (url) => (broken ? answering({}, { ok: false, status: 500 }) : framesOf(url)));
  const cache = cacheOf(10);
  await assert.rejects(cache.get(0), /500/);
  broken = false;
  assert.equal((await cache.get(0)).i, 0);
});

test("frames on either side are fetched ahead, but none beyond the ends", async (t) => {
  const asked = serving(t, framesOf);
  const cache = cacheOf(600);
  cache.prefetch(0);
  await settled();
  assert.deepEqual(asked, ["/frames/0-256"]);
  cache.prefetch(250);
  await settled();
  assert.deepEqual(asked, ["/frames/0-256", "/frames/256-512"]);
  cache.prefetch(599);
  await settled();
  assert.deepEqual(asked.slice(2), ["/frames/512-600"]);
});

test("only so many frames are kept, the oldest go first", async (t) => {
  serving(t, framesOf);
  const cache = cacheOf(256 * 30);
  for (let number = 0; number < 25; number += 1) {
    await cache.get(number * 256);
  }
  assert.equal(cache.chunks.size, 24);
  assert.equal(cache.peek(0), null);
  assert.equal(cache.peek(256).i, 256);
});
