import assert from "node:assert/strict";
import { test } from "node:test";

import { SMALLEST, clipped, resized, shifted, spanned } from "../../workbench/components/canvas/js/boxes.js";
import { Projection } from "../../workbench/components/canvas/js/projection.js";

const SIZE = { width: 400, height: 200 };

function fitted(width, most) {
  const projection = new Projection(SIZE);
  projection.fit(width, most);
  return projection;
}

test("a picture fits by its width or by its height, and stands in the middle", () => {
  const wide = fitted(800, 1000);
  assert.equal(wide.scale, 2);
  assert.equal(wide.height, 400);
  assert.equal(wide.inset, 0);
  const low = fitted(800, 100);
  assert.equal(low.scale, 0.5);
  assert.equal(low.inset, 300);
  assert.deepEqual(low.onScreen([0, 0, 400, 200]), { x: 300, y: 0, width: 200, height: 100 });
});

test("a point of the viewport is where its box is drawn", () => {
  const projection = fitted(800, 300);
  projection.zoomTo(3, [100, 50]);
  const { x, y } = projection.onScreen([120, 60, 130, 70]);
  const [left, top] = projection.toPicture(x, y);
  assert.ok(Math.abs(left - 120) < 1e-9 && Math.abs(top - 60) < 1e-9);
});

test("the point that one zooms about stays where it is", () => {
  const projection = fitted(800, 400);
  const before = projection.onScreen([100, 50, 101, 51]);
  projection.zoomTo(4, [100, 50]);
  const after = projection.onScreen([100, 50, 101, 51]);
  assert.deepEqual([after.x, after.y], [before.x, before.y]);
});

test("zoom stays within its limits, and fitting shows everything again", () => {
  const projection = fitted(800, 400);
  projection.zoomTo(1000);
  assert.equal(projection.zoom, 16);
  projection.zoomTo(0.1);
  assert.equal(projection.zoom, 1);
  assert.deepEqual([projection.left, projection.top], [0, 0]);
  assert.equal(projection.isZoomed, false);
});

test("a box comes to the middle, as far as the picture goes", () => {
  const projection = fitted(800, 400);
  projection.zoomOn(4, [190, 90, 210, 110]);
  assert.deepEqual([projection.left, projection.top], [150, 75]);
  projection.centre([0, 0, 10, 10]);
  assert.deepEqual([projection.left, projection.top], [0, 0]);
  projection.centre([390, 190, 400, 200]);
  assert.deepEqual([projection.left, projection.top], [300, 150]);
});

test("the view moves no further than the border", () => {
  const projection = fitted(800, 400);
  projection.zoomTo(2);
  projection.pan(-9, 9);
  assert.deepEqual([projection.left, projection.top], [0, 100]);
});

test("a close view gives a box its share, but zooms in at least a little", () => {
  const projection = fitted(800, 400);
  assert.equal(projection.zoomFor([0, 0, 20, 20], 0.5), 5);
  assert.equal(projection.zoomFor([0, 0, 400, 200], 0.5), 1.5);
});

test("a box is in view as a whole, in part or not at all", () => {
  const projection = fitted(800, 400);
  projection.zoomTo(2, [0, 0]);
  assert.equal(projection.shows([10, 10, 190, 90]), true);
  assert.equal(projection.shows([150, 10, 250, 90]), false);
  assert.equal(projection.meets([150, 10, 250, 90]), true);
  assert.equal(projection.meets([200, 10, 250, 90]), false);
});

test("a still has no more pixels than the video, and no more than the screen shows", () => {
  const projection = fitted(200, 400);
  assert.equal(projection.longestSide(1), 200);
  assert.equal(projection.longestSide(2), 400);
  assert.equal(projection.longestSide(3), 400);
});

test("a new box is in the middle of what is in view", () => {
  const projection = fitted(800, 400);
  projection.zoomTo(4, [0, 0]);
  const [left, top, right, bottom] = projection.middleBox();
  assert.deepEqual([(left + right) / 2, (top + bottom) / 2], [50, 25]);
});

test("a box is cut to the picture, and is none when too little is left", () => {
  assert.deepEqual(clipped([-5, -5, 10.006, 300], SIZE), [0, 0, 10.01, 200]);
  assert.equal(clipped([-5, 0, SMALLEST - 0.1, 50], SIZE), null);
  assert.deepEqual(clipped([0, 0, SMALLEST, SMALLEST], SIZE), [0, 0, SMALLEST, SMALLEST]);
  assert.equal(clipped([500, 0, 600, 50], SIZE), null);
});

test("a box moves up to the border and keeps its size", () => {
  assert.deepEqual(shifted([10, 10, 30, 30], SIZE, -50, 5), [0, 15, 20, 35]);
  assert.deepEqual(shifted([10, 10, 30, 30], SIZE, 1000, 1000), [380, 180, 400, 200]);
});

test("a grip moves only its own edges, and never past the other one", () => {
  const box = [100, 100, 140, 140];
  assert.deepEqual(resized(box, SIZE, "e", 10, 99), [100, 100, 150, 140]);
  assert.deepEqual(resized(box, SIZE, "nw", -10, -20), [90, 80, 140, 140]);
  assert.deepEqual(resized(box, SIZE, "w", 500, 0), [140 - SMALLEST, 100, 140, 140]);
  assert.deepEqual(resized(box, SIZE, "s", 0, -500), [100, 100, 140, 100 + SMALLEST]);
});

test("two corners make a box, whichever is first", () => {
  assert.deepEqual(spanned([30, 5], [10, 20]), [10, 5, 30, 20]);
});
