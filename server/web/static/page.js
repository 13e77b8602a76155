// A one-time link carries its code behind '#', which no server is sent. Put it into the form, and
// take it out of the address, so that it stays in no history.
"use strict";
const field = document.getElementById("code");
if (field && location.hash.length > 1) {
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  document.getElementById("enter").focus();
}
