import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";

import { Previews, unpack } from "../../workbench/components/canvas/js/previews.js";
import { ReviewState } from "../../workbench/components/canvas/js/state.js";
import { reviewData, serving, settled } from "./made.js";

/** Packs pictures as the server does. */
function packed(frames, text = "jpeg") {
  const body = new Uint8Array(frames.length * (8 + text.length));
  const view = new DataView(body.buffer);
  frames.forEach((frame, place) => {
    const at = place * (8 + text.length);
    view.setUint32(at, frame, true);
    view.setUint32(at + 4, text.length, true);
    body.set(Buffer.from(text), at + 8);
  });
  return body.buffer;
}

function previewing(t, frames = 100) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.document = { hidden: false };
  const state = new ReviewState(reviewData({ frames }));
  const asked = serving(t, (url) => {
    const [, start, stop, step] = /(\d+)-(\d+)\?step=(\d+)/.exec(url).map(Number);
    const held = [];
    for (let frame = start; frame < stop; frame += step) {
      held.push(frame);
    }
    return { ok: true, arrayBuffer: async () => packed(held) };
  });
  const previews = new Previews("/previews/", state);
  const pass = async () => {
    t.mock.timers.tick(5000);
    await settled();
  };
  return { asked, state, previews, pass };
}

test("what the server packed comes out as it was", async () => {
  const found = unpack(packed([3, 70000]));
  assert.deepEqual(
    found.map(({ frame }) => frame),
    [3, 70000],
  );
  assert.equal(await found[1].blob.text(), "jpeg");
  assert.equal(found[1].blob.type, "image/jpeg");
});

test("every frame has a preview in the end, those after the present one first", async (t) => {
  const { asked, state, previews, pass } = previewing(t);
  state.index = 40;
  for (let round = 0; round < 6; round += 1) {
    await pass();
  }
  assert.deepEqual(asked, [
    "/previews/32-64?step=1",
    "/previews/64-96?step=1",
    "/previews/96-100?step=1",
    "/previews/0-32?step=1",
  ]);
  assert.equal(previews.kept.size, 100);
  assert.equal(previews.near(99).frame, 99);
});

test("while a frame is waited for or the video plays, nothing is fetched", async (t) => {
  const { asked, state, pass } = previewing(t);
  state.waiting = true;
  await pass();
  Object.assign(state, { waiting: false, playing: 1 });
  await pass();
  assert.deepEqual(asked, []);
  state.playing = 0;
  await pass();
  assert.equal(asked.length, 1);
});

test("of a long video every part has some soon, and the nearest frame that is there is found", async (t) => {
  const { asked, previews, pass } = previewing(t, 13000);
  assert.equal(previews.step, 3);
  for (let round = 0; round < 3; round += 1) {
    await pass();
  }
  const starts = asked.map((url) => Number(/(\d+)-/.exec(url)[1]));
  assert.ok(starts[1] - starts[0] > 500 && starts[2] - starts[1] > 500);
  assert.equal(previews.near(1).frame, 0);
  assert.equal(previews.near(5000), null);
  assert.ok(previews.near(5000, 13000));
});

test("what came along with a chunk is not fetched again", async (t) => {
  const { asked, previews, pass } = previewing(t, 3200);
  const blob = new Blob(["jpeg"]);
  for (let frame = 32; frame < 96; frame += 1) {
    previews.kept.set(frame, blob);
  }
  for (let round = 0; round < 16; round += 1) {
    await pass();
  }
  assert.ok(asked.length > 2 && asked.slice(0, 5).every((url) => url.endsWith("?step=1&lead=128")));
  assert.ok(asked.includes("/previews/96-128?step=1"));
  assert.ok(!asked.some((url) => url.startsWith("/previews/32-") || url.startsWith("/previews/64-")));
});

test("what ended fetches nothing and holds nothing", async (t) => {
  const { asked, previews, pass } = previewing(t);
  await pass();
  previews.end();
  await pass();
  assert.equal(asked.length, 1);
  assert.equal(previews.kept.size, 0);
});
