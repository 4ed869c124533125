import assert from "node:assert/strict";
import { test } from "node:test";

import { AudioForms, spanAt } from "../../workbench/components/canvas/js/audio-forms.js";
import { Sound } from "../../workbench/components/canvas/js/sound.js";
import { ReviewState } from "../../workbench/components/canvas/js/state.js";
import { isOnSound, isOnTimes } from "../../workbench/components/canvas/js/timeline-metrics.js";
import { answering, noting, reviewData, serving, settled } from "./made.js";

const STEP = 0.04;
const secondsOf = (index) => index * STEP;

/** An audio player that only notes what is asked of it. */
class Player {
  constructor(src) {
    Object.assign(this, { src, currentTime: 0, paused: true, starts: 0 });
  }

  async play() {
    this.paused = false;
    this.starts += 1;
  }

  pause() {
    this.paused = true;
  }
}

function sounding(t, more = {}) {
  globalThis.Audio = Player;
  t.mock.method(globalThis.URL, "createObjectURL", () => "blob:part");
  t.mock.method(globalThis.URL, "revokeObjectURL", () => {});
  const asked = serving(t, () => answering("wav"));
  const state = new ReviewState(reviewData({ frames: 5000, ...more }));
  const button = { hidden: true };
  const sound = new Sound("/sound", state, secondsOf, button);
  sound.offer();
  const paint = async (index) => {
    state.index = index;
    state.events.emit("framePainted", index);
    await settled();
  };
  return { asked, state, sound, paint };
}

test("the sound begins at the frame that plays, follows it, and stops with it", async (t) => {
  const { asked, state, sound, paint } = sounding(t);
  state.playing = 1;
  await paint(100);
  const { player } = sound.current;
  assert.deepEqual(asked, ["/sound?start=0&stop=30"]);
  assert.equal(player.currentTime, 4);
  assert.equal(player.paused, false);
  player.currentTime = 4.07;
  await paint(101);
  assert.equal(player.currentTime, 4.07, "a small difference is not corrected: that would be heard");
  await paint(130);
  assert.equal(player.currentTime, 130 * STEP);
  assert.equal(player.starts, 1);
  state.playing = 0;
  state.events.emit("paused");
  assert.equal(player.paused, true);
});

test("the next part is there before the present one ends, and what is far is dropped", async (t) => {
  const { asked, state, sound, paint } = sounding(t);
  state.playing = 1;
  await paint(600);
  assert.deepEqual(asked, ["/sound?start=0&stop=30", "/sound?start=30&stop=60"]);
  await paint(3000);
  assert.deepEqual([...sound.parts.keys()], [4]);
});

test("nothing is heard backwards, very fast, very slowly, or when it is switched off", async (t) => {
  const { asked, state, sound, paint } = sounding(t);
  for (const speed of [0, -1, 4, 0.25]) {
    state.playing = speed;
    await paint(10);
  }
  sound.toggle();
  state.playing = 1;
  await paint(11);
  assert.deepEqual(asked, []);
});

test("what is muted or bleeped is silent", async (t) => {
  const audio = [{ kind: "mute", start: 4, end: 6, reason: "a name" }];
  const { state, sound, paint } = sounding(t, { audio });
  state.playing = 1;
  await paint(99);
  assert.equal(sound.current.player.muted, false);
  await paint(100);
  assert.equal(sound.current.player.muted, true);
  await paint(150);
  assert.equal(sound.current.player.muted, false);
});

test("where there is no sound, the picture plays on", async (t) => {
  const { state, sound, paint } = sounding(t);
  serving(t, () => answering({ error: "no sound" }, { ok: false, status: 409 }));
  state.playing = 1;
  await paint(1);
  assert.equal(sound.current.player, null);
  sound.end();
});

function asking(more = {}) {
  const state = new ReviewState(reviewData(more));
  const shown = [];
  const prompt = { show: (question) => shown.push(question) };
  const amendments = { ...noting("tell"), mayBegin: () => state.mayAmend };
  const status = noting("say");
  const forms = new AudioForms(state, { amendments, prompt, status }, secondsOf);
  forms.hasSound = true;
  return { state, forms, amendments, status, shown };
}

function filled(values) {
  return { number: (name) => Number(values[name]), text: (name) => values[name] };
}

test("a dragged range is asked about in seconds, and sent with its reason", () => {
  const { forms, shown, amendments } = asking();
  forms.ask([50, 75]);
  const [question] = shown;
  const values = Object.fromEntries(question.fields.map(({ name, value }) => [name, value]));
  assert.deepEqual([values.start, values.end, values.what], ["2.000", "3.000", "mute"]);
  assert.match(question.save(filled({ ...values, start: "3", end: "2", reason: "a name" })), /comes after/);
  assert.equal(question.save(filled({ ...values, what: "bleep", reason: "a name" })), "");
  assert.deepEqual(amendments.calls, [
    ["tell", { audio: { kind: "add", what: "bleep", start: 2, end: 3, reason: "a name" } }],
  ]);
});

test("a span is shown with its reason, and taken back", () => {
  const audio = [
    { kind: "mute", start: 1, end: 2, reason: "a name" },
    { kind: "bleep", start: 3, end: 4, reason: "a street" },
  ];
  const { forms, shown, amendments } = asking({ audio });
  assert.equal(spanAt(audio, 3.5), 1);
  assert.equal(spanAt(audio, 2), null);
  forms.show(1);
  assert.equal(shown[0].title, "Bleeped from 3.00 to 4.00 s: a street");
  shown[0].save(filled({}));
  assert.deepEqual(amendments.calls, [["tell", { audio: { kind: "remove", place: 1 } }]]);
});

test("without a mark, a sound or the right to, nothing is asked, and it is said why", () => {
  const { state, forms, shown, status } = asking();
  forms.askMarked();
  forms.hasSound = false;
  forms.askMarked();
  assert.deepEqual(
    status.calls.map(([, words]) => words.split(" ")[0]),
    ["Mark", "This"],
  );
  forms.hasSound = true;
  Object.assign(state, { markIn: 3, markOut: 5 });
  forms.askMarked();
  assert.equal(shown.length, 1);
  state.data.rights.amend = false;
  forms.askMarked();
  assert.equal(shown.length, 1);
});

test("the sound lies between the tracks and the times", () => {
  const places = Array.from({ length: 100 }, (_, y) => y).filter((y) => isOnSound(y, 2, true));
  assert.equal(places.length, 20);
  assert.equal(isOnTimes(places.at(-1) + 1, 2, true), true);
  assert.equal(isOnSound(places[0], 2, false), false);
});
