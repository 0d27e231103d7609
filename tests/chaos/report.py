"""The figures of a run, as people read them."""

from __future__ import annotations

from typing import Any


def as_text(found: dict[str, Any]) -> str:
    lines = [
        "",
        f"seed {found['seed']}, commit {found['commit']}" + (f", without {found['broken']}" if found["broken"] else ""),
    ]
    lines += ["", "Kills, at seconds since the load began (seconds until it worked again):"]
    for what, times in sorted(found["kills"].items()):
        back = sorted(took for _, took in times if took is not None)
        middle = (
            f"; back after {back[0]} to {back[-1]} s, half within {back[len(back) // 2]} s" if back and back[-1] else ""
        )
        lines.append(f"  {what}: {len(times)}{middle}")
        lines.append("    " + " ".join(f"{at}" for at, _ in times))
    acts = found["acts"]
    taken, refused = (sum(row[name] for row in acts.values()) for name in ("taken", "refused"))
    seconds = found["load_seconds"]
    lines += ["", f"Acts in {seconds} s: {taken} taken, {refused} refused, {(taken + refused) / seconds:.1f} a second."]
    lines += [
        f"  {kind}: {row['taken']} taken, {row['refused']} refused, {row['open']} open" for kind, row in acts.items()
    ]
    lines += ["", *(f"{name}: {value}" for name, value in found["figures"].items())]
    lines.append(f"left to do was done {found['drained']} s after the last kill")
    lines += ["", "Promises (0 is kept):"]
    for line in found["lines"]:
        mark = "ok    " if not line["breaches"] else "BREACH"
        lines.append(
            f"  {mark} {line['breaches']:>5}  {line['promise']}"
            + (f" ({line['looked_at']})" if line["looked_at"] else "")
        )
        lines += [f"                  {detail}" for detail in line["details"][:5]]
    lines += ["", "All promises were kept." if not found["breaches"] else f"{found['breaches']} breaches."]
    return "\n".join(lines) + "\n"
