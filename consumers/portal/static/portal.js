"use strict";
// What htmx leaves to a page: go on from the last alert after a lost connection, and say whether there is one.
(function () {
  let last = null;

  htmx.createEventSource = function (url) {
    const from = new URL(url, location.href);
    if (last !== null) from.searchParams.set("etter", last);
    return new EventSource(from);
  };

  document.addEventListener("htmx:sseBeforeMessage", function (event) {
    const id = event.detail.lastEventId;
    if (id) last = id;
    if (id && document.getElementById("varsel-" + id)) event.preventDefault();
  });

  function connected(yes) {
    const stream = document.getElementById("strom");
    if (stream) stream.dataset.strom = yes ? "paa" : "av";
  }
  document.addEventListener("htmx:sseOpen", function () { connected(true); });
  document.addEventListener("htmx:sseError", function () { connected(false); });
  document.addEventListener("htmx:sseClose", function (event) {
    if (event.detail.type === "message") location.assign("/innlogging?utlopt=1&til=/");
  });
})();
