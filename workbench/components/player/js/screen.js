import { element } from "../../shared/dom.js";

/**
 * A video that is played.
 * @typedef {{ label: string, source: string, note: string }} Video
 */

/**
 * Makes the place in which a video is shown, with its label and its note.
 * @param {Video} video
 * @param {() => void} onLoaded called when its length is known
 */
export function screenOf({ label, source, note }, onLoaded) {
  const trouble = element("div", { className: "trouble", hidden: true, attributes: { role: "status" } });
  const attributes = { "aria-label": label };
  const video = element("video", { src: source, preload: "auto", playsInline: true, tabIndex: -1, attributes });
  const screen = element("div", { className: "screen" }, video, trouble);
  const fail = () => {
    trouble.hidden = false;
    trouble.textContent = `This browser cannot play “${label}”. Download the video and open it in a media player.`;
  };
  video.onerror = fail;
  video.onloadedmetadata = () => {
    if (video.videoWidth) {
      screen.style.setProperty("--shape", `${video.videoWidth} / ${video.videoHeight}`);
    } else {
      fail();
    }
    onLoaded();
  };
  const said = element("span", {}, note ? `: ${note}` : "");
  const caption = element("figcaption", {}, element("b", {}, label), said);
  return { figure: element("figure", {}, screen, caption), video };
}
