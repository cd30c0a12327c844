"""How the page of duplicates looks, by day and by night, wide and narrow."""

from bof.grouping.types import KINDS

_FILTERS = "\n".join(f"#only-{kind}:checked ~ main .group:not(.{kind}) {{ display: none; }}" for kind in KINDS)

STYLE = f"""
:root {{ color-scheme: light dark; --paper: #fff; --ink: #24292f; --soft: #59636e; --line: #d5dae0; --tint: #f4f6f8;
  --good: #1b7f46; --alert: #b3541e; }}
@media (prefers-color-scheme: dark) {{ :root {{ --paper: #16191d; --ink: #d6dbe1; --soft: #98a1ac; --line: #353b43;
  --tint: #1f242a; --good: #45b877; --alert: #e0955f; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }}
h1 {{ margin: 0.5rem 0 0; font-size: 1.7rem; line-height: 1.2; }}
h2 {{ margin: 0; font-size: 1.1rem; }}
h2 .soft {{ font-weight: 400; }}
p {{ margin: 0.25rem 0; }}
.soft {{ color: var(--soft); }}
.alert {{ border-left: 4px solid var(--alert); padding-left: 0.75rem; }}
b.keep {{ color: var(--good); }}
b.duplicate {{ color: var(--soft); }}
input[name=kind] {{ position: absolute; opacity: 0; }}
input[name=kind] + label {{ display: inline-block; margin: 0.75rem 0.35rem 0 0; padding: 0.2rem 0.8rem; cursor: pointer;
  border: 1px solid var(--line); border-radius: 1rem; }}
input[name=kind]:checked + label {{ background: var(--ink); color: var(--paper); }}
input[name=kind]:focus-visible + label {{ outline: 2px solid var(--good); outline-offset: 2px; }}
{_FILTERS}
.group {{ border-top: 1px solid var(--line); margin-top: 1rem; padding: 1rem 0 0; }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 0.75rem;
  margin: 0.5rem 0; }}
figure {{ margin: 0; }}
.cards img, .tile {{ display: block; width: 100%; height: 9.5rem; object-fit: contain; background: var(--tint);
  border: 4px solid var(--line); border-radius: 4px; }}
.tile {{ padding: 0.4rem; overflow: hidden; font-size: 0.75rem; }}
.keep img, .keep .tile {{ border-color: var(--good); }}
figcaption {{ margin-top: 0.25rem; font-size: 0.8rem; line-height: 1.4; }}
.cards figcaption span {{ display: block; color: var(--soft); }}
.cards figcaption .name {{ display: inline; color: var(--ink); }}
summary {{ cursor: pointer; color: var(--soft); font-size: 0.9rem; padding: 0.25rem 0; }}
.pair {{ margin: 0.5rem 0 1rem; }}
.pair div {{ display: grid; grid-template-columns: repeat(2, minmax(0, 22.5rem)); gap: 0.5rem; }}
.pair img {{ width: 100%; height: auto; border-radius: 4px; }}
@media (max-width: 40rem) {{ .cards {{ grid-template-columns: repeat(2, 1fr); }}
  .cards img, .tile {{ height: 7rem; }} }}
"""
