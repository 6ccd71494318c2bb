// Adds to a page that is whole without it: filter, sorting, zoom, links to copy, the zone of times. It asks nothing of any network
// and writes text only as text.
(function () {
  "use strict";
  var all = function (query, within) { return Array.prototype.slice.call((within || document).querySelectorAll(query)); };
  var make = function (name, attributes, text) {
    var made = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text) { made.textContent = text; }
    return made;
  };
  var live = make("p", { role: "status", class: "status" });
  document.getElementById("tools").appendChild(live);
  var say = function (text) { live.textContent = text; };

  // Zone of times: UTC, the reader's own, the app's.
  var two = function (number) { return (number < 10 ? "0" : "") + number; };
  var shown = function (time, was, offset) {
    var date = new Date(time.getTime() + offset(time) * 1000);
    var clock = two(date.getUTCHours()) + ":" + two(date.getUTCMinutes());
    if (/\d:\d\d:\d\d$/.test(was)) { clock += ":" + two(date.getUTCSeconds()); }
    var month = two(date.getUTCMonth() + 1) + "-" + two(date.getUTCDate());
    if (/^\d{4}-/.test(was)) { return date.getUTCFullYear() + "-" + month + " " + clock; }
    return /^\d\d-/.test(was) ? month + " " + clock : clock;
  };
  var times = all("time[datetime], text[data-t]").map(function (place) {
    var iso = place.getAttribute("datetime") || place.getAttribute("data-t");
    // Browsers make a date of much that is none.
    var time = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(iso) ? iso : NaN);
    return { place: place, time: time, was: place.textContent };
  }).filter(function (one) { return !isNaN(one.time.getTime()); });
  var app = Number(document.body.getAttribute("data-zone"));
  var sign = function (seconds) {
    var minutes = Math.abs(Math.round(seconds / 60));
    return "UTC" + (seconds < 0 ? "-" : "+") + two(Math.floor(minutes / 60)) + ":" + two(minutes % 60);
  };
  var own = function (time) { return -time.getTimezoneOffset() * 60; };
  var zones = { utc: ["UTC", function () { return 0; }] };
  zones.own = ["yours (" + (Intl.DateTimeFormat().resolvedOptions().timeZone || sign(own(new Date()))) + ")", own];
  if (app) { zones.app = ["the app's (" + sign(app) + ")", function () { return app; }]; }
  var chooser = make("select", { id: "zone" });
  Object.keys(zones).forEach(function (key) { chooser.appendChild(make("option", { value: key }, zones[key][0])); });
  chooser.addEventListener("change", function () {
    var zone = zones[chooser.value];
    times.forEach(function (one) { one.place.textContent = shown(one.time, one.was, zone[1]); });
    all(".zone").forEach(function (place) { place.textContent = chooser.value === "utc" ? "UTC" : zone[0]; });
    say("Times are now in the zone: " + zone[0]);
  });
  var tools = document.getElementById("tools");
  var label = make("label", { for: "zone" }, "Times in ");
  tools.insertBefore(label, live);
  tools.insertBefore(chooser, live);

  // Incidents by words and by cause.
  var list = all("#every > details");
  if (list.length > 1) {
    var bar = make("div", { class: "bar", role: "search", "aria-label": "Filter incidents" });
    var words = make("input", { id: "words", type: "search", autocomplete: "off", spellcheck: "false" });
    var causes = make("select", { id: "cause" });
    causes.appendChild(make("option", { value: "" }, "every cause"));
    var seen = {};
    list.forEach(function (incident) {
      var cause = incident.getAttribute("data-cause");
      if (!seen["=" + cause]) { seen["=" + cause] = 1; causes.appendChild(make("option", { value: cause }, cause)); }
    });
    var count = make("span", { role: "status" });
    var open = make("button", { type: "button" }, "Open all shown");
    [make("label", { for: "words" }, "Find "), words, make("label", { for: "cause" }, "of "), causes, open, count]
      .forEach(function (part) { bar.appendChild(part); });
    document.getElementById("every").before(bar);
    var texts = null;
    var filter = function () {
      texts = texts || list.map(function (incident) { return incident.textContent.toLowerCase(); });
      var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      var left = 0;
      list.forEach(function (incident, place) {
        var fits = (!causes.value || incident.getAttribute("data-cause") === causes.value) &&
          wanted.every(function (word) { return texts[place].indexOf(word) >= 0; });
        incident.hidden = !fits;
        left += fits ? 1 : 0;
      });
      count.textContent = left + " of " + list.length;
    };
    words.addEventListener("input", filter);
    causes.addEventListener("change", filter);
    open.addEventListener("click", function () {
      var shut = list.some(function (incident) { return !incident.hidden && !incident.open; });
      list.forEach(function (incident) { if (!incident.hidden) { incident.open = shut; } });
      open.textContent = shut ? "Close all shown" : "Open all shown";
    });
  }

  // A link to an incident.
  document.addEventListener("toggle", function (event) {
    var anchor = event.target.open && event.target.querySelector && event.target.querySelector(".anchor[id]");
    if (!anchor || anchor.querySelector("button")) { return; }
    var copy = make("button", { type: "button" }, "Copy link");
    copy.addEventListener("click", function () {
      var link = location.href.split("#")[0] + "#" + anchor.id;
      history.replaceState(null, "", "#" + anchor.id);
      var done = navigator.clipboard ? navigator.clipboard.writeText(link) : Promise.reject();
      done.then(function () { say("Copied " + link); copy.textContent = "Copied"; }, function () {
        copy.textContent = "It is in the address bar now";
      });
    });
    anchor.appendChild(copy);
  }, true);

  // Columns to sort by.
  all("table.sortable").forEach(function (table) {
    all("thead th", table).forEach(function (head, column) {
      var button = make("button", { type: "button", class: "sort" }, head.textContent);
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        all("th", head.parentNode).forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var key = function (row) { return row.cells[column].textContent.trim(); };
        var number = function (text) { return /^[\d.,]+ ?%?$/.test(text) ? parseFloat(text.replace(/,/g, "")) : NaN; };
        all("tbody tr", table).map(function (row) { return [key(row), row]; }).sort(function (a, b) {
          var x = number(a[0]), y = number(b[0]);
          var order = isNaN(x) || isNaN(y) ? a[0].localeCompare(b[0], undefined, { numeric: true }) : x - y;
          return down ? -order : order;
        }).forEach(function (pair) { table.tBodies[0].appendChild(pair[1]); });
      });
    });
  });

  // Drawings wider than the page, moved by scrolling.
  all(".zoom").forEach(function (region) {
    var drawing = region.querySelector("svg");
    var factor = 1;
    var bar = make("div", { class: "bar zoombar" });
    [["−", 1 / 1.5, "Zoom out"], ["+", 1.5, "Zoom in"]].forEach(function (kind) {
      var button = make("button", { type: "button", "aria-label": kind[2] + ": " + region.getAttribute("aria-label") }, kind[0]);
      button.addEventListener("click", function () {
        var middle = (region.scrollLeft + region.clientWidth / 2) / region.scrollWidth;
        factor = Math.min(8, Math.max(1, factor * kind[1]));
        drawing.style.width = factor === 1 ? "" : factor * 100 + "%";
        region.scrollLeft = middle * region.scrollWidth - region.clientWidth / 2;
      });
      bar.appendChild(button);
    });
    region.before(bar);
  });

  // On paper everything is open.
  var opened = [];
  addEventListener("beforeprint", function () {
    opened = all("details:not([open])");
    opened.forEach(function (part) { part.open = true; });
  });
  addEventListener("afterprint", function () { opened.forEach(function (part) { part.open = false; }); });
})();
