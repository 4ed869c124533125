/** @import { ReviewState } from "./state.js" */

const REST = 250;

/** Keeps the address of the page true, so that it can be copied; Streamlit reads it with the next rerun. */
export class AddressBar {
  /** @param {ReviewState} state */
  constructor(state) {
    this.state = state;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    state.events.on("chosen", () => this.refresh());
    state.events.on("frameSettled", () => this.refresh());
  }

  /** Writes the address once nobody goes on. */
  refresh() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const address = addressOf(window.location.href, this.state.index, this.state.chosen);
      window.history.replaceState(window.history.state, "", address);
    }, REST);
  }

  /** Stops what is still to come. */
  end() {
    clearTimeout(this.timer);
  }
}

/**
 * Gives the address of a frame and a track.
 * @param {string} address of the page
 * @param {number} frame
 * @param {number | null} track
 */
export function addressOf(address, frame, track) {
  const url = new URL(address);
  url.searchParams.set("frame", String(frame));
  if (track === null) {
    url.searchParams.delete("track");
  } else {
    url.searchParams.set("track", String(track));
  }
  return url;
}
