from basket_analysis.groups.edits import Cut, Edits, Merge, Pin, Split, apply_edits, cut_share, weak_link

A, B, C = frozenset("abcd"), frozenset("wxyz"), frozenset("klm")


def tied(*pairs):
    """Return ties of weight 1 between the two letters of each pair."""
    known = {frozenset(pair) for pair in pairs}
    return lambda item, others: float(sum(frozenset((item, other)) in known for other in others))


NO_TIES = tied()


def shown(cuts):
    return {cut.group_id or "".join(sorted(cut.items)): "".join(sorted(cut.items)) for cut in cuts}


class TestApplyEdits:
    def test_leaves_alone_what_nobody_edited(self):
        assert apply_edits([A, B], [], NO_TIES, min_items=3) == [Cut(A), Cut(B)]

    def test_splits_what_is_found_together_again(self):
        split = Split(5, "t1", "s5", frozenset("cd"), frozenset("ab"))
        cuts = apply_edits([A | {"e", "f"}, B], [split], tied("ec", "fa"), min_items=3)
        assert shown(cuts) == {"t1": "abf", "s5": "cde", "wxyz": "wxyz"}

    def test_leaves_a_split_alone_that_the_rules_make_by_themselves(self):
        split = Split(5, "t1", "s5", frozenset("cd"), frozenset("ab"))
        cuts = apply_edits([frozenset("ab"), frozenset("cd")], [split], NO_TIES, min_items=3)
        assert shown(cuts) == {"t1": "ab", "s5": "cd"}

    def test_keeps_a_pinned_theme_to_the_item_whatever_is_found(self):
        pin = Pin(7, "t9", A)
        cuts = apply_edits([frozenset("abwx"), frozenset("cyzklm")], [pin], NO_TIES, min_items=3)
        assert shown(cuts) == {"t9": "abcd", "klmyz": "klmyz"}
        assert shown(apply_edits([], [pin], NO_TIES, min_items=3)) == {"t9": "abcd"}

    def test_has_no_item_in_two_themes(self):
        edits = [
            Split(2, "t1", "s2", frozenset("ax"), frozenset("bcdwyz")),
            Pin(3, "t3", frozenset("klb")),
            Merge(4, "t1", "s2"),
        ]
        cuts = apply_edits([A | B, C], edits, NO_TIES, min_items=3)
        items = [item for cut in cuts for item in cut.items]
        assert len(items) == len(set(items))
        assert shown(cuts) == {"t1": "cdwyz", "s2": "ax", "t3": "bkl"}


class TestEdits:
    def test_make_one_group_of_what_was_merged_one_after_the_other(self):
        edits = Edits(
            (Merge(6, "t1", "t2"), Merge(7, "t3", "t1"), Merge(8, "t3", "t4"), Merge(9, "t1", "t5"))
        )
        assert edits.merged == {"t1": "t3", "t2": "t3", "t4": "t3", "t5": "t3"}

    def test_leave_the_cut_alone_when_themes_are_merged_or_pinned(self):
        edits = Edits((Pin(3, "t3", C), Merge(6, "t1", "t2")))
        assert (edits.followed, edits.cut_differs) == ([6], False)

    def test_want_another_cut_when_splits_come_or_go(self):
        split = Split(5, "t1", "s5", frozenset("cd"), frozenset("ab"))
        assert Edits((split,)).cut_differs
        assert not Edits((split,), known=(5,)).cut_differs
        assert Edits(undone=(split,), known=(5,)).cut_differs

    def test_remember_the_whole_theme_of_a_split_that_was_taken_back(self):
        edits = Edits(undone=(Split(5, "t1", "s5", frozenset("cd"), frozenset("ab")),))
        assert edits.before({"t1": frozenset("ab"), "s5": frozenset("cdq")}) == {"t1": A | {"q"}}


class TestWeakLink:
    def test_is_between_two_clumps(self):
        tie = tied("ab", "bc", "ac", "wx", "xy", "wy", "cw")
        leaving, share = weak_link(list("abcwxy"), tie)
        assert (leaving, round(share, 3)) == (frozenset("wxy"), round(1 / 7, 3))

    def test_cuts_what_lies_across(self):
        assert cut_share(list("abc"), frozenset("c"), tied("ab", "bc")) == 0.5
        assert cut_share(list("abc"), frozenset("c"), NO_TIES) == 0.0
