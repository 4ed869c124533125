import assert from "node:assert/strict";
import { test } from "node:test";

import { LabelPlacing, overlap } from "../../workbench/components/canvas/js/labels.js";
import { Projection } from "../../workbench/components/canvas/js/projection.js";

const projection = new Projection({ width: 400, height: 200 });
projection.fit(400, 200);
const labels = new LabelPlacing(projection, (text) => text.length * 6);

function outline(box, more = {}) {
  return { box, label: "12 · MTCNN 0.99", short: "12", tone: "detected", track: 12, said: "", ...more };
}

test("a label stands above its box, in full", () => {
  const one = outline([100, 100, 150, 150]);
  const label = labels.place([one]).get(one);
  assert.equal(label.text, one.label);
  assert.equal(label.y, 100 - 15 - 1);
  assert.equal(label.x, 99);
});

test("grips push a label away", () => {
  const one = outline([100, 100, 150, 150], { held: true });
  assert.equal(labels.place([one]).get(one).y, 100 - 15 - 6);
});

test("a label stays in the picture", () => {
  const top = outline([350, 2, 398, 40]);
  const whole = outline([0, 0, 400, 200]);
  const atTop = labels.place([top]).get(top);
  assert.equal(atTop.y, 41);
  assert.ok(atTop.x + atTop.width <= 400);
  assert.equal(labels.place([whole]).get(whole).y, 200 - 15);
});

test("labels of neighbours do not hide each other", () => {
  const near = [outline([100, 100, 150, 150]), outline([110, 102, 160, 152])];
  const [one, other] = labels.place(near).values();
  assert.equal(overlap(one, other), false);
});

test("the chosen one's label is placed first", () => {
  const plain = outline([100, 100, 150, 150]);
  const chosen = outline([110, 102, 160, 152], { chosen: true });
  const placed = labels.place([plain, chosen]);
  assert.equal(placed.get(chosen).y, 102 - 15 - 1);
});

test("among many, small boxes have short labels, but the chosen one has its own", () => {
  const crowd = Array.from({ length: 5 }, (_, place) => outline([20 + 70 * place, 100, 40 + 70 * place, 120]));
  crowd[4].chosen = true;
  const placed = labels.place(crowd);
  assert.equal(placed.get(crowd[0]).text, "12");
  assert.equal(placed.get(crowd[4]).text, crowd[4].label);
});

test("no boxes have no labels", () => {
  assert.equal(labels.place([]).size, 0);
});

test("rectangles that only touch do not overlap", () => {
  const one = { x: 0, y: 0, width: 10, height: 10 };
  assert.equal(overlap(one, { x: 10, y: 0, width: 5, height: 5 }), false);
  assert.equal(overlap(one, { x: 9, y: 9, width: 5, height: 5 }), true);
});
