/* core/list: order, membership, and removal while walking. */
#include <check.h>

#include "core/list.h"

struct item {
    int number;
    struct list node;
};

static int number(struct list *node)
{
    return container_of(node, struct item, node)->number;
}

START_TEST(keeps_the_order)
{
    struct list head;
    struct item item[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
    int expected = 0;

    list_init(&head);
    ck_assert(list_empty(&head));
    ck_assert_ptr_null(list_first(&head));
    list_append(&head, &item[0].node);
    list_append(&head, &item[3].node);
    list_insert_before(&item[3].node, &item[1].node);
    list_insert_before(&item[3].node, &item[2].node);
    list_each(it, &head) ck_assert_int_eq(number(it), expected++);
    ck_assert_int_eq(expected, 4);
    ck_assert_int_eq(number(list_first(&head)), 0);
}
END_TEST

START_TEST(a_removed_node_is_in_no_list)
{
    struct list head;
    struct item item;

    list_init(&head);
    list_init(&item.node);
    ck_assert(!list_linked(&item.node));
    list_remove(&item.node);
    list_append(&head, &item.node);
    ck_assert(list_linked(&item.node));
    ck_assert(!list_empty(&head));
    list_remove(&item.node);
    list_remove(&item.node);
    ck_assert(!list_linked(&item.node));
    ck_assert(list_empty(&head));
}
END_TEST

START_TEST(a_walk_may_remove)
{
    struct list head;
    struct item item[6];
    int met = 0;

    list_init(&head);
    for (int i = 0; i < 6; i++) {
        item[i].number = i;
        list_append(&head, &item[i].node);
    }
    list_each_safe(it, after, &head)
    {
        if (met++ % 2 == 0)
            list_remove(it);
    }
    ck_assert_int_eq(met, 6);
    met = 1;
    list_each(it, &head)
    {
        ck_assert_int_eq(number(it), met);
        met += 2;
    }
    ck_assert_int_eq(met, 7);
}
END_TEST

Suite *list_suite(void);

Suite *list_suite(void)
{
    Suite *suite = suite_create("list");
    TCase *tc = tcase_create("list");

    tcase_add_test(tc, keeps_the_order);
    tcase_add_test(tc, a_removed_node_is_in_no_list);
    tcase_add_test(tc, a_walk_may_remove);
    suite_add_tcase(suite, tc);
    return suite;
}
