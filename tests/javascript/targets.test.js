import assert from "node:assert/strict";
import { test } from "node:test";

import {
  framesAhead,
  nextCut,
  nextFace,
  nextItem,
  nextTrack,
  itemsAfter,
} from "../../workbench/components/canvas/js/targets.js";
import { face, spot, track } from "./made.js";

const SPOTS = [spot("a", 10), spot("b", 20, { state: "accepted" }), spot("c", 30), spot("d", 40)];

test("the next item is the next open one, round the end", () => {
  assert.equal(nextItem(SPOTS, "a", 1).key, "c");
  assert.equal(nextItem(SPOTS, "d", 1).key, "a");
  assert.equal(nextItem(SPOTS, "b", 1).key, "c");
});

test("the previous item is the previous open one, round the beginning", () => {
  assert.equal(nextItem(SPOTS, "d", -1).key, "c");
  assert.equal(nextItem(SPOTS, "c", -1).key, "a");
  assert.equal(nextItem(SPOTS, "a", -1).key, "d");
});

test("without an item one begins at the first, or at the last", () => {
  assert.equal(nextItem(SPOTS, null, 1).key, "a");
  assert.equal(nextItem(SPOTS, null, -1).key, "d");
  assert.equal(nextItem(SPOTS, "gone", 1).key, "a");
});

test("there is no next item in an empty queue, nor beside the only open one", () => {
  assert.equal(nextItem([], null, 1), null);
  assert.equal(nextItem([], null, -1), null);
  assert.equal(nextItem([spot("a", 1)], "a", 1), null);
  assert.equal(nextItem([spot("a", 1, { state: "amended" })], null, 1), null);
});

test("the items that come next come once each", () => {
  assert.deepEqual(
    itemsAfter(SPOTS, "a", 2).map((one) => one.key),
    ["c", "d"],
  );
  assert.deepEqual(
    itemsAfter(SPOTS, "b", 9).map((one) => one.key),
    ["c", "d", "a"],
  );
  assert.deepEqual(itemsAfter([], null, 3), []);
});

test("the next cut is beyond the frame, not at it", () => {
  const cuts = [0, 50, 99];
  assert.equal(nextCut(cuts, 0, 1), 50);
  assert.equal(nextCut(cuts, 50, 1), 99);
  assert.equal(nextCut(cuts, 99, 1), null);
  assert.equal(nextCut(cuts, 50, -1), 0);
  assert.equal(nextCut(cuts, 0, -1), null);
  assert.equal(nextCut([], 5, 1), null);
});

test("faces are chosen in turn", () => {
  const faces = [face(7), face(0), face(3)];
  assert.equal(nextFace(faces, null, 1), 7);
  assert.equal(nextFace(faces, null, -1), 3);
  assert.equal(nextFace(faces, 7, 1), 0);
  assert.equal(nextFace(faces, 3, 1), 7);
  assert.equal(nextFace(faces, 7, -1), 3);
  assert.equal(nextFace(faces, 99, 1), 7);
  assert.equal(nextFace([], null, 1), null);
});

test("tracks follow each other as they begin", () => {
  const tracks = [track(5, 0, 10), track(2, 30, 40), track(1, 30, 35)];
  assert.equal(nextTrack(tracks, 5, 0, 1).track, 1);
  assert.equal(nextTrack(tracks, 1, 0, 1).track, 2);
  assert.equal(nextTrack(tracks, 2, 0, 1), null);
  assert.equal(nextTrack(tracks, 5, 0, -1), null);
});

test("without a chosen track, tracks are found from the frame", () => {
  const tracks = [track(5, 0, 10), track(2, 30, 40)];
  assert.equal(nextTrack(tracks, null, 0, 1).track, 2);
  assert.equal(nextTrack(tracks, null, 30, -1).track, 5);
  assert.equal(nextTrack(tracks, null, 30, 1), null);
  assert.equal(nextTrack([], null, 0, 1), null);
});

function ahead(index, more = {}) {
  const position = { index, count: 1000, direction: 1, playing: 0, itemKey: null, data: { spots: [] } };
  return framesAhead({ ...position, ...more });
}

test("the nearest frames are fetched first, more of them in the direction of travel", () => {
  assert.deepEqual(ahead(100).slice(0, 4), [101, 99, 102, 98]);
  assert.equal(Math.max(...ahead(100)), 114);
  assert.equal(Math.min(...ahead(100)), 95);
  assert.equal(Math.min(...ahead(100, { direction: -1 })), 86);
});

test("no frame beyond the ends is fetched", () => {
  assert.equal(Math.min(...ahead(0)), 1);
  assert.deepEqual(ahead(999), [998, 997, 996, 995, 994]);
  assert.deepEqual(ahead(0, { count: 1 }), []);
});

test("the next item comes after the four nearest frames, the others at the end", () => {
  const frames = ahead(500, { itemKey: "a", data: { spots: SPOTS } });
  assert.deepEqual(frames.slice(6, 9), [504, 496, 30]);
  assert.deepEqual(frames.slice(-4), [30, 40, 10, 40]);
});

test("while the video plays, items do not matter", () => {
  assert.equal(ahead(500, { playing: 1, data: { spots: SPOTS } }).includes(10), false);
});
