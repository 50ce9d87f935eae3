"""Settings forms as a browser sends them."""

import html as marks
import re


def fields(html: str) -> dict[str, str]:
    """What a browser would send of the settings form if nobody touched it."""
    form = html.split("<main")[1]
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r'name="(s-[^"]+)"', tag)
        if name is None or " disabled" in tag:
            continue
        if 'type="checkbox"' in tag:
            if " checked" in tag:
                sent[name[1]] = "1"
            continue
        value = re.search(r'value="([^"]*)"', tag)
        sent[name[1]] = marks.unescape(value[1]) if value else ""
    for name, body in re.findall(r'<textarea[^>]*name="(s-[^"]+)"[^>]*>([^<]*)</textarea>', form):
        sent[name] = marks.unescape(body)
    for name, body in re.findall(r'<select[^>]*name="(s-[^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', body)
        first = re.search(r'value="([^"]*)"', body)
        sent[name] = (chosen or first)[1] if (chosen or first) else ""  # type: ignore[index]
    return sent
