"""CSS that the theme of Streamlit cannot express."""

from __future__ import annotations

BUTTON_LINK_KEY = "first-way"
"""Prefix of the keys of links that look like buttons."""
THUMBNAIL_KEY = "thumbnail"
"""Prefix of the keys of containers with the picture of a run."""
ALARM_KEY = "alarm"
"""Prefix of the keys of containers whose main button hides everything at once."""
STEPPER_KEY = "sign-off-step"
"""Prefix of the key of the stepper of Sign off."""
AUTO_REFRESH_KEY = "watched"
"""Prefix of the keys of containers that refresh themselves, so that they do not fade each time."""

PAGE_CSS = f"""<style>
.stMainBlockContainer {{ padding: 3.2rem 1.6rem 1rem; }}
@media (max-width: 640px) {{ .stMainBlockContainer {{ padding-top: 4.4rem; }} }}
[data-testid="stBottomBlockContainer"] {{ padding: 0.6rem 1.6rem 0.9rem; max-width: none; }}
[data-testid="stBottomBlockContainer"] [data-testid="stPageLink"] * {{ min-width: 0; }}
[data-testid="stBottomBlockContainer"] [data-testid="stPageLink"] p {{ overflow: hidden; text-overflow: ellipsis; }}
@media (max-width: 640px) {{
  [class*="st-key-{THUMBNAIL_KEY}"], :has(> [class*="st-key-{THUMBNAIL_KEY}"]) {{
    width: 84px !important; min-width: 84px; flex: 0 0 84px !important;
  }}
}}
.stMainBlockContainer h1 {{ padding: 0 0 0.6rem; }}
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {{ color: inherit; opacity: 0.92; }}
[data-testid="stBaseButton-primary"], [data-testid="stBaseButton-primaryFormSubmit"], [data-tag], [data-tag] * {{
  color: light-dark(#ffffff, #0b1013);
}}
[data-testid="stRadioOption"]:not([data-selected]) > div > div:first-child {{
  border-color: light-dark(#6f7c86, #8b98a2);
}}
[class*="st-key-{AUTO_REFRESH_KEY}"] [data-stale="true"] {{ opacity: 1 !important; }}
[class*="st-key-{BUTTON_LINK_KEY}"] a {{
  border: 1px solid light-dark(#00659e, #56b4e9); border-radius: 0.25rem; padding: 0.3rem 0.75rem;
  text-decoration: none;
}}
[class*="st-key-{BUTTON_LINK_KEY}"] a, [class*="st-key-{BUTTON_LINK_KEY}"] a * {{ color: light-dark(#00659e, #7cc4ee);
font-weight: 600; }}
[class*="st-key-{STEPPER_KEY}"] [role="radiogroup"] {{
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.5rem; width: 100%;
  align-items: start;
}}
[class*="st-key-{STEPPER_KEY}"] [data-testid="stRadioOption"] {{
  margin: 0; padding: 0.45rem 0.7rem; border: 1px solid light-dark(#c5ced5, #3b464e); border-radius: 0.3rem;
}}
[class*="st-key-{STEPPER_KEY}"] [data-testid="stRadioOption"][data-selected] {{
  border-color: light-dark(#00659e, #56b4e9); box-shadow: inset 0 -3px light-dark(#00659e, #56b4e9);
}}
[class*="st-key-{ALARM_KEY}"] [data-testid="stBaseButton-primary"] {{
  background: #b3261e; border-color: #b3261e; color: #ffffff; min-height: 3.2rem; font-weight: 700;
}}
[class*="st-key-{ALARM_KEY}"] [data-testid="stBaseButton-primary"] * {{ color: #ffffff; font-weight: 700; }}
.stTooltipIcon button:hover svg {{ stroke: light-dark(#00659e, #56b4e9) !important; }}
a:focus-visible, button:focus-visible, [role="radio"]:focus-visible {{
  outline: 2px solid light-dark(#00659e, #56b4e9) !important; outline-offset: 1px;
}}
.st-key-analyse_statement textarea {{ font-family: "Source Code Pro", ui-monospace, monospace; }}
[class*="st-key-{STEPPER_KEY}"] .stRadio {{ width: 100%; }}
[role="dialog"] > div:has(> [data-testid="stErrorCodeBlock"]) > * {{ display: none; }}
[role="dialog"] > div:has(> [data-testid="stErrorCodeBlock"])::before {{
  content: "The workbench does not respond. Running detections continue. This page reconnects as soon as it responds; \
if it does not, start it again with: veil workbench";
}}
</style>"""
"""Why each rule is there:

- The name of the next case ends in dots where the bar at the bottom has no room for it.
- On a phone the picture of a run leaves room for its name. Its width is set on the container and on what wraps it.
- Streamlit leaves wide margins above and beside every page, and around the bar at its bottom. On a phone its fixed
  header needs the room above.
- Its captions are too faint to read, and its white on the accent colour cannot be read in the dark theme. The browser
  chooses that colour by itself, because the script may run before it knows the theme.
- The rings of radio options that are not chosen are too faint.
- The steps of Sign off are radio options, so that the arrow keys go through them; they look like a stepper. A long
  name below one of them must not push it out of the row.
- Its focus on links and buttons is a shade of grey that nobody sees.
- Streamlit waits 200 ms before it shows a help text; its icon answers at once.
- SQL is read in columns, so it needs letters of one width.
- A container that refreshes every second fades each time on a busy machine.
- If the server is gone, Streamlit explains how to start a Streamlit server; users of Veil need another command.
"""

ICON_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
    '<ellipse cx="12" cy="12" rx="8" ry="10.5" fill="#0072b2"/><path d="M3 9h18v6H3z" fill="#1b2328"/></svg>'
)
"""Icon of the browser tab: a masked face. A Material icon would be fetched from a server of Google."""

LOGO_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 74 24" width="74" height="24">'
    "<style>text{fill:#1b2328}path{fill:#1b2328}"
    "@media (prefers-color-scheme:dark){text{fill:#e4e9ed}path{fill:#e4e9ed}}</style>"
    '<ellipse cx="12" cy="12" rx="8" ry="10.5" fill="#0072b2"/><path d="M3 9h18v6H3z"/>'
    '<text x="29" y="18.5" font-family="Source Sans,Source Sans 3,system-ui,sans-serif" font-size="19" '
    'font-weight="700">Veil</text></svg>'
)
"""Logo above the navigation."""
