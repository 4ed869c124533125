import assert from "node:assert/strict";
import { test } from "node:test";

import { SimilarSearch } from "../../workbench/components/canvas/js/similar-search.js";
import { amending } from "./amending.js";

const BOX = [10, 10, 30, 30];
const PLACE = { start: 50, stop: 60, frame: 52, box: BOX, similarity: 0.9 };

/** Makes what searches; `found` is what the server answers. The ticks are left out because there is no page. */
function searching(found, frame) {
  const made = amending({}, frame);
  const questions = [];
  const task = {
    run: async (question, handlers) => {
      questions.push(question);
      handlers.onProgress(30, 120);
      return found;
    },
  };
  const search = new SimilarSearch(made.state, { ...made.amendmentParts, task });
  search.tick = ({ unticked }) => ({ querySelector: () => ({ checked: !unticked }) });
  search.previewOf = () => null;
  return { ...made, questions, search };
}

function answer(places, more = {}) {
  return { state: "similar", frame: 30, box: BOX, places, left_off: 0, detector: "yolov8-face", ...more };
}

test("what is ticked becomes items to check, and nothing is masked", async () => {
  const other = { ...PLACE, start: 70, stop: 71, frame: 70, unticked: true };
  const { state, search, prompt, actions, questions } = searching(answer([PLACE, other]));
  state.choose(1);
  await search.begin();
  assert.deepEqual(questions, [{ frame: 30, box: BOX, wanted: "similar" }]);
  assert.equal(prompt.fill({}), "");
  assert.deepEqual(actions(), [{ kind: "flag", frame: 30, box: BOX, places: [PLACE] }]);
});

test("nothing is added when nothing is ticked or found", async () => {
  const { state, search, prompt, sent } = searching(answer([{ ...PLACE, unticked: true }]));
  state.choose(1);
  await search.begin();
  assert.match(prompt.fill({}), /Tick a place/);
  assert.deepEqual(sent, []);
  const none = searching(answer([], { detector: null }));
  none.state.choose(1);
  await none.search.begin();
  assert.match(none.said(), /No similar place was found.*No detector looked/);
});

test("a search needs a box, and the right to add items", async () => {
  const { state, search, said, questions } = searching(answer([PLACE]));
  await search.begin();
  assert.match(said(), /Draw a box \(d\) or choose a face/);
  state.choose(1);
  state.data.rights = { amend: false, why: "Only reviewers can make changes." };
  await search.begin();
  assert.equal(said(), "Only reviewers can make changes.");
  assert.deepEqual(questions, []);
});

test("places that are left off are told", async () => {
  const { state, search, said } = searching(answer([PLACE], { left_off: 4 }));
  state.choose(1);
  await search.begin();
  assert.match(said(), /4 less similar ones are not shown/);
});
