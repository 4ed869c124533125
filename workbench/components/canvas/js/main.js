import { keep } from "../../shared/lifecycle.js";
import { Review } from "./review.js";

/**
 * @import { Host } from "../../shared/lifecycle.js"
 * @import { ReviewData, Trigger } from "./types.js"
 */

/**
 * Shows a run; Streamlit calls this at every rerun, with the same element for as long as the page shows it.
 * @param {{ data: ReviewData, parentElement: Host, setTriggerValue: Trigger }} component
 */
export default function review({ data, parentElement, setTriggerValue }) {
  return keep(parentElement, (/** @type {Review | null} */ shown) => {
    if (shown?.run === data.run) {
      shown.update(data, setTriggerValue);
      return shown;
    }
    shown?.end();
    return new Review(parentElement, data, setTriggerValue);
  });
}
