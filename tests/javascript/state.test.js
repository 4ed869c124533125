import assert from "node:assert/strict";
import { test } from "node:test";

import { Draft } from "../../workbench/components/canvas/js/draft.js";
import { Events } from "../../workbench/components/canvas/js/events.js";
import { ReviewState } from "../../workbench/components/canvas/js/state.js";
import { face, person, reviewData, spot, track } from "./made.js";

const SPOT_BOX = [50, 50, 60, 60];

function stateAt(index, frame, more = {}) {
  const state = new ReviewState(reviewData(more));
  Object.assign(state, { index, painted: index, current: frame });
  return state;
}

test("listeners hear what they asked for, in order", () => {
  const events = new Events();
  const heard = [];
  events.on("one", (value) => heard.push(["first", value]));
  events.on("one", (value) => heard.push(["second", value]));
  events.emit("one", 1);
  events.emit("other", 2);
  assert.deepEqual(heard, [
    ["first", 1],
    ["second", 1],
  ]);
});

test("choosing a track is told, choosing a possible face does nothing", () => {
  const state = new ReviewState(reviewData());
  const heard = [];
  state.events.on("chosen", (number) => heard.push(number));
  state.choose(0);
  state.choose(-1);
  assert.equal(state.chosen, 0);
  state.choose(null);
  assert.deepEqual(heard, [0, null]);
});

test("an item that is not in the queue any more is not looked at any more", () => {
  const state = new ReviewState(reviewData({ spots: [spot("a", 1)] }));
  state.openItem(state.data.spots[0]);
  state.receive(reviewData({ spots: [spot("a", 1)] }));
  assert.equal(state.itemKey, "a");
  state.receive(reviewData({ spots: [spot("b", 1)] }));
  assert.equal(state.itemKey, null);
});

test("the face and the track are those that are chosen, track 0 too", () => {
  const state = stateAt(3, { faces: [face(0), face(1)] }, { tracks: [track(0, 0, 9)] });
  assert.equal(state.face, null);
  assert.equal(state.track, null);
  state.choose(0);
  assert.equal(state.face.track, 0);
  assert.equal(state.track.stop, 9);
  state.choose(1);
  assert.equal(state.track, null);
});

test("what is looked at is the box that is drawn, then the chosen face, then the item", () => {
  const state = stateAt(3, { faces: [face(1)] }, { spots: [spot("a", 3, { box: SPOT_BOX })] });
  assert.equal(state.subject, null);
  state.openItem(state.data.spots[0]);
  assert.deepEqual(state.subject, SPOT_BOX);
  state.choose(1);
  assert.deepEqual(state.subject, face(1).box);
  state.draft = new Draft();
  state.draft.set(3, [0, 0, 5, 5]);
  assert.deepEqual(state.subject, [0, 0, 5, 5]);
});

test("an item is looked at only in its own frames", () => {
  const state = stateAt(3, { faces: [] }, { spots: [spot("a", 3, { box: SPOT_BOX, stop: 5 })] });
  state.openItem(state.data.spots[0]);
  state.index = 4;
  assert.deepEqual(state.subject, SPOT_BOX);
  state.index = 5;
  assert.equal(state.subject, null);
});

test("the possible face is the one that the item is about, else the first", () => {
  const doubtful = [{ box: [0, 0, 9, 9] }, { box: [50.4, 50, 60, 60] }];
  const state = stateAt(3, { faces: [], doubtful }, { spots: [spot("a", 3, { box: SPOT_BOX })] });
  assert.equal(state.possibleFace, doubtful[0]);
  state.openItem(state.data.spots[0]);
  assert.equal(state.possibleFace, doubtful[1]);
});

test("there is no possible face in a frame that is not on screen", () => {
  const state = stateAt(3, { faces: [], doubtful: [{ box: SPOT_BOX }] });
  state.index = 4;
  assert.equal(state.possibleFace, null);
});

test("an item is left when a card is opened, and the queue goes on after it", () => {
  const state = stateAt(10, { faces: [] }, { spots: [spot("a", 10)] });
  const left = [];
  state.events.on("itemLeft", () => left.push(state.lastItemKey));
  state.openItem(state.data.spots[0]);
  state.openPerson(person([3]), 3);
  assert.equal(state.itemKey, null);
  assert.deepEqual(left, ["a"]);
});

test("a decision is about the ticked cards, else about the current one", () => {
  const state = stateAt(0, { faces: [] });
  state.takePeople([person([1, 4]), person([2]), person([3])]);
  assert.deepEqual(state.chosenPeople, []);
  state.openPerson(state.people[1], 2);
  assert.deepEqual(state.chosenPeople, [state.people[1]]);
  state.pickPerson(1);
  state.pickPerson(3);
  assert.deepEqual(state.chosenPeople, [state.people[0], state.people[2]]);
  state.takePeople([person([2]), person([3])]);
  assert.deepEqual([...state.pickedPeople], [3]);
  state.choose(2);
  assert.equal(state.personKey, null);
});
