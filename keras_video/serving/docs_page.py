"""`docs_page`: the documentation of the API as one page that loads nothing from elsewhere."""

from html import escape

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
  color-scheme: light dark; }
code, pre { font: 14px/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: 6px; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1rem .2rem 0;
  vertical-align: top; } h2 { margin-top: 2.5rem; }
"""


def docs_page(schema: dict) -> str:
    """HTML of an OpenAPI schema.

    Args:
        schema: `app.openapi()`.
    """
    info = schema["info"]
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])}</h1><p>{escape(info.get('description', ''))}</p>",
        '<p>For programs: <a href="/openapi.json"><code>/openapi.json</code></a></p>',
    ]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(path, method, operation, schema["components"]["schemas"]))
    return "".join(parts) + "</html>"


def _operation(path: str, method: str, operation: dict, schemas: dict) -> str:
    parts = [
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>",
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>",
    ]
    rows = [
        (f"<code>{escape(one['name'])}</code>", escape(one.get("description", "")))
        for one in operation.get("parameters", ())
    ]
    if bodies := operation.get("requestBody", {}).get("content"):
        rows += [
            (escape(kind), f"<code>{escape(_example(body['schema'], schemas))}</code>")
            for kind, body in bodies.items()
        ]
    if rows:
        parts.append(_table("Takes", rows))
    answers = []
    for status, answer in operation["responses"].items():
        content = next(iter(answer.get("content", {}).values()), {}).get("schema", {})
        if status == "200" and content:
            parts.append(f"<pre>{escape(_example(content, schemas))}</pre>")
        answers.append((f"<code>{escape(status)}</code>", escape(answer["description"])))
    return "".join(parts) + _table("Answers", answers)


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    body = "".join(f"<tr><td>{left}</td><td>{right}</td></tr>" for left, right in rows)
    return f'<table><tr><th colspan="2">{title}</th></tr>{body}</table>'


def _example(schema: dict, schemas: dict, indent: str = "") -> str:
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], schemas, indent)
    if "anyOf" in schema:
        return " or ".join(_example(one, schemas, indent) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{_example(schema['items'], schemas, indent)}, ...]"
    if "properties" in schema:
        inner = indent + "  "
        lines = []
        for name, value in schema["properties"].items():
            about = f"  # {value['description']}" if value.get("description") else ""
            lines.append(f'{inner}"{name}": {_example(value, schemas, inner)}{about}')
        return "{\n" + "\n".join(lines) + f"\n{indent}}}"
    return str(schema.get("type", "text"))
