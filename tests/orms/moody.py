"""A contestant that is psycopg until a scenario puts it in a mood: it hangs, crashes, lies or prints rubbish."""

import os
import subprocess
import sys
import time

from dbplan.errors import NotCovered
from dbplan.orms import runner


class Moody(runner.Runner):
    def bind(self, scenario):
        answer = super().bind(scenario)
        if self.scenario.name == "aggregate":
            raise NotCovered("it cannot count")
        if self.scenario.name == "keyset_page":
            return {"not_covered": "it has no pages"}
        if self.scenario.name == "filtered_list":
            OUT.write("a warning of a library\n")
            OUT.flush()
        return answer

    def check(self, params):
        if self.scenario.name == "point_read":
            subprocess.Popen(["sleep", "300"])
            time.sleep(300)
        if self.scenario.name == "update_one":
            params = [{**one, "value": f"{one['value']}!"} for one in params]
        answer = super().check(params)
        if self.scenario.name == "nested_include":
            answer["results"][-1][0]["children"][0]["title"] = "another"
        return answer

    def time(self, params):
        if self.scenario.name == "insert_one":
            print("it was the driver's fault", file=sys.stderr, flush=True)
            os._exit(3)
        if self.scenario.name == "upsert":
            raise ValueError("no time to lose")
        return super().time(params)


OUT, sys.stdout = sys.stdout, sys.stderr
runner.Runner = Moody
runner.serve("psycopg", sys.stdin, OUT)
