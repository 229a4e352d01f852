// What is selected, to take along: a link, LaTeX, Markdown, Python, or the picture.

function taken(kind) {
  const own = about(), q = state.q || own.defined[0], pair = [own.latex[q], own.latex[`d${q}`]].filter(Boolean);
  switch (kind) {
    case "link": return link();
    case "latex": return pair.map(line => `\\[ ${line} \\]`).join("\n");
    case "markdown": return pair.map(line => `$$${line}$$`).join("\n\n");
    case "python": return [`from derivations import derive`, ``, `lines = derive(${JSON.stringify(own.name)})`, `print(lines.adjoint_of[${JSON.stringify(q)}])`, ...[own.code[q], own.code[`d${q}`]].filter(Boolean).map(line => `# ${line}`)].join("\n");
    case "svg": return own.svg;
  }
  return "";
}

async function copy(kind) {
  const text = taken(kind);
  let done = true;
  try {
    if (self !== top) throw new Error("in a frame the clipboard is shut, and asking for it is an error");
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  const what = {link: "the link", latex: "LaTeX", markdown: "Markdown", python: "Python", svg: "the picture"}[kind];
  tell(done ? `Copied ${what}.` : `This browser lets no page copy ${what}.`);
}

let silence = 0;
function tell(text) {
  const box = document.getElementById("told");
  box.textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { box.textContent = ""; }, 4000);
}
