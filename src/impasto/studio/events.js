// Gradio's server ends the stream of a page when nothing of it is under way. What the page asks for while it is being
// told so would be done, and nobody would hear of it. So the end is passed on only when nothing is under way here either.
(() => {
  const ask = window.fetch.bind(window);
  const endsWith = (path, what) => new URL(what.url || what, location).pathname.endsWith(path);
  const awaited = new Set();
  const early = new Set(); // completed before the answer came that says which they are
  const joining = new Set();

  async function join(what, how) {
    const answer = await ask(what, how);
    const { event_id } = await answer.clone().json().catch(() => ({}));
    if (event_id && !early.delete(event_id)) awaited.add(event_id);
    return answer;
  }

  function joined(what, how) {
    const answer = join(what, how);
    const known = answer.catch(() => {}).then(() => joining.delete(known));
    joining.add(known);
    return answer;
  }

  async function* messages(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (text + value).split("\n\n");
      text = parts.pop();
      yield* parts;
    }
  }

  async function listen(what, how) {
    const answer = await ask(what, how);
    if (!answer.ok) return answer;
    async function pass(into) {
      const encoder = new TextEncoder();
      for (let { body } = answer; body; ) {
        let next = null;
        for await (const message of messages(body)) {
          const { msg, event_id } = JSON.parse(message.slice("data: ".length));
          if (msg === "process_completed" && !awaited.delete(event_id)) early.add(event_id);
          if (msg === "close_stream") while (joining.size && !awaited.size) await Promise.race(joining);
          if (msg === "close_stream" && awaited.size) {
            next = await ask(what, how);
            if (next.ok) break;
          }
          into.enqueue(encoder.encode(message + "\n\n"));
        }
        body = next && next.ok ? next.body : null;
      }
    }
    const stream = new ReadableStream({
      start(into) {
        pass(into).then(() => into.close()).catch((error) => {
          awaited.clear();
          into.error(error);
        });
      },
    });
    return new Response(stream, { status: answer.status, headers: answer.headers });
  }

  window.fetch = (what, how) => {
    const way = endsWith("/queue/join", what) ? joined : endsWith("/queue/data", what) ? listen : ask;
    return way(what, how);
  };
})();
