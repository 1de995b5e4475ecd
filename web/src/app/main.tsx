// The page starts here: who is signed in, then the shell with the view of the address.
import { render } from "preact";
import { loadMe } from "../api/session";
import { startKeyboard } from "../parts/actions";
import { reportError } from "../parts/notices";
import { startRouter } from "../parts/router";
import { Shell } from "./shell";

startRouter();
startKeyboard();
loadMe().catch(reportError);
render(<Shell />, document.getElementById("page")!);
