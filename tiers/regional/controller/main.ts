import { runService } from "../../../shared/service/mod.ts";
import { controllerService } from "./service.ts";

await runService(controllerService);
