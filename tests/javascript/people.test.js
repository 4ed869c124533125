import assert from "node:assert/strict";
import { test } from "node:test";

import { causesOf, groupItems, itemsInOrder } from "../../workbench/components/canvas/js/item-groups.js";
import { loopSpan, markedSpan } from "../../workbench/components/canvas/js/marked-range.js";
import { outlinesOf } from "../../workbench/components/canvas/js/outlines.js";
import {
  People,
  acceptanceOf,
  changesOf,
  nextPerson,
  openItemsOf,
} from "../../workbench/components/canvas/js/people.js";
import { ReviewState } from "../../workbench/components/canvas/js/state.js";
import { answering, face, person, reviewData, serving, settled, spot } from "./made.js";

const ITEMS = [
  spot("a", 90, { track: 2, label: "Weak", risk: 0.9 }),
  spot("b", 10, { track: 1, label: "Start", risk: 0.6 }),
  spot("c", 50, { track: null, label: "Weak", risk: 0.4 }),
  spot("d", 20, { track: 1, label: "Weak", risk: 0.2, state: "accepted" }),
];

const keysOf = (items) => items.map(({ key }) => key);

test("items are sorted by risk or by time, and filtered by cause", () => {
  const view = { grouping: "none", sorting: "risk", cause: "" };
  assert.deepEqual(keysOf(itemsInOrder(ITEMS, view)), ["a", "b", "c", "d"]);
  assert.deepEqual(keysOf(itemsInOrder(ITEMS, { ...view, sorting: "time" })), ["b", "d", "c", "a"]);
  assert.deepEqual(keysOf(itemsInOrder(ITEMS, { ...view, cause: "Start" })), ["b"]);
  assert.deepEqual(causesOf(ITEMS), ["Start", "Weak"]);
});

test("items are grouped by person, cause or minute, groups in the order of their first item", () => {
  const people = [person([1, 4], { name: "Host" }), person([2])];
  const grouped = (grouping) =>
    groupItems(ITEMS, grouping, people, 1).map(({ title, items }) => [title, keysOf(items)]);
  assert.deepEqual(grouped("person"), [
    ["Person 2", ["a"]],
    ["Host", ["b", "d"]],
    ["No track", ["c"]],
  ]);
  assert.deepEqual(grouped("cause"), [
    ["Weak", ["a", "c", "d"]],
    ["Start", ["b"]],
  ]);
  assert.deepEqual(grouped("time"), [
    ["Minute 2", ["a"]],
    ["Minute 1", ["b", "c", "d"]],
  ]);
});

test("a decision about people is amendments of their tracks", () => {
  const people = [person([1, 4])];
  assert.deepEqual(
    openItemsOf(people[0], ITEMS).map(({ key }) => key),
    ["b"],
  );
  assert.deepEqual(acceptanceOf(people, [ITEMS[1]]), [
    { kind: "accept", spot: "person:1:10-15" },
    { kind: "accept", spot: "person:4:40-45" },
    { kind: "accept", spot: "b" },
  ]);
  assert.deepEqual(changesOf("keep_visible", people), [
    { kind: "keep_visible", track: 1, start: 10, stop: 15 },
    { kind: "keep_visible", track: 4, start: 40, stop: 45 },
  ]);
});

test("the next person is one who is not decided; after the last comes the first", () => {
  const people = [person([1]), person([2], { state: "masked" }), person([3])];
  assert.equal(nextPerson(people, null, 1), people[0]);
  assert.equal(nextPerson(people, 1, 1), people[2]);
  assert.equal(nextPerson(people, 3, 1), people[0]);
  assert.equal(nextPerson(people, 1, -1), people[2]);
  assert.equal(nextPerson([people[1]], null, 1), null);
});

test("people are fetched once for a revision, and a failure is said", async (t) => {
  const state = new ReviewState(reviewData());
  let people = [person([1])];
  const asked = serving(t, () => answering({ people, arranged: 2 }));
  const fetched = new People(state);
  fetched.refresh();
  fetched.refresh();
  await settled();
  assert.equal(asked.length, 1);
  assert.equal(fetched.arranged, 2);
  assert.deepEqual(state.people, people);
  state.receive(reviewData({ revision: "another" }));
  people = [];
  await fetched.refresh();
  assert.deepEqual(state.people, []);
  serving(t, () => answering({ error: "The source is gone." }, { ok: false, status: 409 }));
  state.receive(reviewData({ revision: "a third" }));
  await fetched.refresh();
  assert.equal(fetched.problem, "The source is gone.");
});

test("a loop plays the marked range, else the item with a little around it, else everything", () => {
  const marked = { count: 100, markIn: null, markOut: null, spot: null, looping: true };
  assert.equal(loopSpan({ ...marked, looping: false }), null);
  assert.deepEqual(loopSpan(marked), [0, 100]);
  assert.deepEqual(loopSpan({ ...marked, spot: spot("a", 5) }), [0, 16]);
  assert.deepEqual(loopSpan({ ...marked, spot: spot("a", 5), markIn: 40 }), [40, 100]);
  assert.deepEqual(markedSpan({ ...marked, markIn: 40, markOut: 20 }), [20, 41]);
});

test("a box is drawn where a face is expected before a track starts", () => {
  const item = spot("a", 5, { kind: "start", start: 2, stop: 6, track: 1, box: [1, 1, 9, 9] });
  const state = new ReviewState(reviewData({ spots: [item] }));
  const tones = (index, faces) => {
    Object.assign(state, { index, painted: index, current: { faces } });
    return outlinesOf(state).map(({ tone }) => tone);
  };
  state.openItem(item);
  assert.deepEqual(tones(5, []), ["expected"]);
  assert.deepEqual(tones(5, [face(1)]), ["detected"]);
  assert.deepEqual(tones(6, []), []);
});
