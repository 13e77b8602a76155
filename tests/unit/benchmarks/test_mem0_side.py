"""What mem0 is set up with: nothing of it leaves the machine or its folder."""

from benchmarks.mem0_side import configuration, environment


def test_all_that_it_writes_lies_in_its_folder(tmp_path):
    given = configuration(tmp_path)
    folder = str(tmp_path)
    assert environment(tmp_path)["MEM0_DIR"] == folder
    assert given["history_db_path"].startswith(folder)
    assert given["vector_store"]["provider"] == "chroma"
    assert given["vector_store"]["config"]["path"].startswith(folder)


def test_it_is_told_of_no_address_but_a_port_of_this_machine(tmp_path):
    assert environment(tmp_path)["MEM0_TELEMETRY"] == "False"
    assert configuration(tmp_path)["llm"]["config"]["openai_base_url"] == "http://127.0.0.1:9"
